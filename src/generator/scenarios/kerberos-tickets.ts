import { oneOf } from "../distributions.ts";
import { KERBEROS, REMOTE_INTERACTIVE } from "../row-kinds.ts";
import type { Scene } from "./scene.ts";

/**
 * Tickets taken from the memory of a victim's machine and used from another: Kerberos logins from a source that never asked
 * for the user's tickets. One time in five it was the ticket-granting ticket, with which the source asks for service tickets.
 */
export function stolenTicket(scene: Scene): void {
  const { random, rows } = scene;
  const source = scene.workstationOf(scene.victim());
  for (const day of scene.someDays(Math.max(3, scene.days.length * 0.4))) {
    let second = scene.hoursOf(day);
    const user = scene.victim();
    const isGranting = random.nextFloat() < 0.2;
    for (let n = 3 + random.nextInt(6); n > 0; n--) {
      // What a ticket is for is where its owner goes, or where a ticket-granting ticket leads.
      const target =
        isGranting || random.nextFloat() < 0.5 ? scene.foreignServer(user) : usualTarget(scene, user);
      if (isGranting) rows.loginWithTicket(second, user, source, target);
      else rows.login(second, user, source, target, KERBEROS);
      second += scene.gap();
    }
  }
}

/**
 * Tickets forged with a stolen key, for any account: service tickets are asked for with a forged ticket-granting ticket that
 * nobody ever asked for, or are forged as well and leave no request at all.
 */
export function goldenTicket(scene: Scene): void {
  const { random, rows, organisation } = scene;
  const source = scene.workstationOf(scene.victim());
  const administrators = organisation.persons.flatMap(({ isAdministrator, joinDay }, i) =>
    isAdministrator && joinDay === 0 ? [i] : [],
  );
  for (const day of scene.someDays(Math.max(3, scene.days.length * 0.4))) {
    let second = scene.hoursOf(day, 6, 23);
    const user =
      administrators.length > 0 && random.nextFloat() < 0.6 ? oneOf(administrators, random) : scene.victim();
    for (let n = 3 + random.nextInt(6); n > 0; n--) {
      const target = random.nextFloat() < 0.8 ? scene.server() : scene.anyHost(source);
      if (random.nextFloat() < 0.5) rows.loginWithTicket(second, user, source, target);
      else rows.login(second, user, source, target, KERBEROS);
      second += scene.gap();
    }
  }
}

/** From desk to desk by remote desktop with a known password: each desktop then asks for the account's tickets itself. */
export function remoteDesktop(scene: Scene): void {
  const { random, rows } = scene;
  for (const day of scene.someDays(Math.max(3, scene.days.length * 0.3))) {
    const user = scene.victim();
    let at = scene.workstationOf(scene.victim());
    let second = scene.hoursOf(day, 7, 18);
    for (let hop = 2 + random.nextInt(4); hop > 0; hop--) {
      const next = scene.anyWorkstation(at);
      rows.login(second, user, at, next, REMOTE_INTERACTIVE);
      rows.askTicketGrantingTicket(second + 2, user, next);
      at = next;
      second += 120 + 3 * scene.gap();
    }
  }
}

function usualTarget({ organisation, random }: Scene, user: number): number {
  const { team, department } = organisation.persons[user];
  return oneOf([...organisation.teamHosts[team], ...organisation.departmentServers[department]], random);
}
