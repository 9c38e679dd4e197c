import { HOUR_SECONDS } from "../calendar.ts";
import { oneOf } from "../distributions.ts";
import { HUB } from "../host-roles.ts";
import { KERBEROS, NTLM, NTLM_FAIL } from "../row-kinds.ts";
import type { Scene } from "./scene.ts";

const STAR_LOGINS_MIN = 60;
const STAR_LOGINS_MAX = 700;
/** 1.6 hours, as long as failures came before the first labelled login of LANL's red team. */
const PROBING_SECONDS = 5760;

/** One host logs on to many targets with many stolen accounts, by NTLM, in bursts on a few days. */
export function star(scene: Scene): void {
  const { random, rows, accounts, organisation } = scene;
  const source = scene.workstationOf(scene.victim());
  const wanted = Math.round(
    Math.min(STAR_LOGINS_MAX, Math.max(STAR_LOGINS_MIN, organisation.persons.length * 0.06)),
  );
  const stolen = scene.victims(Math.max(10, Math.round(wanted / 7)));
  const targets = Array.from({ length: Math.max(15, Math.round(wanted / 2.4)) }, () => scene.anyHost(source));
  const days = scene.someDays(Math.max(2, scene.days.length * 0.4));
  for (const [i, day] of days.entries()) {
    let second = scene.hoursOf(day, 8, 13);
    if (i === 0) {
      for (let n = 0; n < 5; n++) {
        const local = accounts.local(random.nextInt(accounts.locals));
        rows.login(
          second - PROBING_SECONDS + 20 * n + random.nextInt(20),
          local,
          source,
          oneOf(targets, random),
          NTLM_FAIL,
        );
      }
    }
    const share = Math.ceil(wanted / days.length);
    // The busiest account does a sixth of it.
    for (let n = 0; n < share && rows.logins < wanted; n++) {
      const user = random.nextFloat() < 0.16 ? stolen[0] : oneOf(stolen, random);
      rows.login(second, user, source, oneOf(targets, random), NTLM);
      second += Math.min(scene.gap(), HOUR_SECONDS);
    }
  }
}

/** From host to host, one new link a step, with another account every few steps; half of the chains by NTLM. */
export function chain(scene: Scene): void {
  const { random, rows } = scene;
  for (const [i, day] of scene.someDays(4).entries()) {
    let user = scene.victim();
    let at = scene.workstationOf(user);
    let second = scene.hoursOf(day, 8, 12);
    const isNtlm = i % 2 === 0;
    for (let step = 0; step < 9; step++) {
      const next = step % 3 === 2 ? scene.anyHost(at) : scene.server();
      if (next === at) continue;
      if (step > 0 && random.nextFloat() < 0.4) user = scene.victim();
      if (isNtlm) rows.login(second, user, at, next, NTLM);
      else {
        // Whoever has the password gets tickets from wherever he is.
        if (random.nextFloat() < 0.5) rows.askTicketGrantingTicket(second, user, at);
        rows.loginWithTicket(second, user, at, next);
      }
      at = next;
      second += 300 + Math.floor(random.nextFloat() ** 2 * 3 * HOUR_SECONDS);
    }
  }
}

/** Failures on many accounts from one source, then the one whose password was guessed, and what is done with it. */
export function spray(scene: Scene): void {
  const { random, rows, organisation } = scene;
  const source = scene.workstationOf(scene.victim());
  const hub = oneOf(organisation.hostsOf(HUB), random);
  for (const day of scene.someDays(2)) {
    const tried = scene.victims(Math.min(30, Math.floor(organisation.persons.length / 4)));
    let second = scene.hoursOf(day, 8, 14);
    for (const user of tried) {
      rows.login(second, user, source, hub, NTLM_FAIL);
      second += 20 + random.nextInt(200);
    }
    const guessed = tried[tried.length - 1];
    rows.login(second, guessed, source, hub, NTLM);
    for (let n = 0; n < 4; n++) {
      second += 60 + scene.gap();
      rows.login(second, guessed, source, scene.foreignServer(guessed), NTLM);
    }
  }
}

/** A colleague's account used from a host to a target that usually know each other: every link is usual but the user's. */
export function wrongUser(scene: Scene): void {
  const { random, rows, organisation } = scene;
  for (const day of scene.someDays(Math.max(3, scene.days.length * 0.6))) {
    const owner = scene.victim();
    const source = scene.workstationOf(owner);
    const { team, department } = organisation.persons[owner];
    const targets = [...organisation.teamHosts[team], ...organisation.departmentServers[department]];
    const stolen = scene.victim();
    const isNtlm = random.nextFloat() < 0.5;
    let second = scene.hoursOf(day, 8, 17);
    if (!isNtlm && random.nextFloat() < 0.7) rows.askTicketGrantingTicket(second, stolen, source);
    for (let n = 0; n < 4; n++) {
      const target = oneOf(targets, random);
      if (isNtlm) rows.login(second, stolen, source, target, NTLM);
      else if (random.nextFloat() < 0.7) rows.loginWithTicket(second, stolen, source, target);
      else rows.login(second, stolen, source, target, KERBEROS);
      second += scene.gap();
    }
  }
}
