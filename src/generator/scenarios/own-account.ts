import { oneOf } from "../distributions.ts";
import { INTERACTIVE, NTLM } from "../row-kinds.ts";
import type { Scene } from "./scene.ts";

/**
 * Someone looks around with his own account from his own workstation, by Kerberos with all its tickets: only the targets, of
 * other departments, are not his.
 */
export function insider(scene: Scene): void {
  for (let i = 0; i < 2; i++) {
    const person = scene.victim();
    const known = new Set<number>();
    for (const day of scene.someDays(Math.max(3, scene.days.length * 0.5))) {
      for (let n = 1 + scene.random.nextInt(5); n > 0; n--) ownLogin(scene, person, day, known);
    }
  }
}

/** As an insider, but one new link a day and no more, in the victim's own hours. */
export function lowAndSlow(scene: Scene): void {
  for (let i = 0; i < 3; i++) {
    const person = scene.victim();
    const known = new Set<number>();
    for (const day of scene.days) ownLogin(scene, person, day, known);
  }
}

function ownLogin(scene: Scene, person: number, day: number, known: Set<number>): void {
  const second = scene.atWork(person, day);
  if (second < 0) return;
  const target = scene.foreignServer(person, known);
  known.add(target);
  scene.rows.loginWithTicket(second, person, scene.workstationOf(person), target);
}

/** A service's account used by hand: from a workstation it never works on, then at the console of a server. */
export function serviceAccount(scene: Scene): void {
  const { organisation, random, rows } = scene;
  const { services, persons } = organisation;
  const account = persons.length + random.nextInt(services.length);
  const source = scene.workstationOf(scene.victim());
  for (const [i, day] of scene.someDays(Math.max(2, scene.days.length * 0.4)).entries()) {
    let second = scene.hoursOf(day, 7, 20);
    const isNtlm = i % 2 === 1;
    if (!isNtlm) rows.askTicketGrantingTicket(second, account, source);
    for (let n = 2 + random.nextInt(5); n > 0; n--) {
      const target = random.nextFloat() < 0.7 ? scene.server() : scene.anyHost(source);
      if (isNtlm) rows.login(second, account, source, target, NTLM);
      else rows.loginWithTicket(second, account, source, target);
      second += scene.gap();
    }
    const console = oneOf(organisation.departmentServers[random.nextInt(organisation.departments)], random);
    rows.login(second, account, console, console, INTERACTIVE);
  }
}
