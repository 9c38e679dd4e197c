import { DAY_SECONDS, HOUR_SECONDS } from "../calendar.ts";
import { oneOf, shuffled } from "../distributions.ts";
import { COMPANY_SERVER, HUB } from "../host-roles.ts";
import { SPARE_HOSTS, SPARE_USERS } from "../organisation.ts";
import { INTERACTIVE } from "../row-kinds.ts";
import type { Scene } from "./scene.ts";

/** A new account on a new workstation goes where its team goes, more of it each day: all its links are new, none is odd. */
export function newEmployee(scene: Scene): void {
  const { organisation, random, rows, days } = scene;
  const { size, hostsOf, teamHosts, departmentServers } = organisation;
  const user = size.users + random.nextInt(SPARE_USERS);
  // Spare hosts are shared out: the first half for people, the second for servers.
  const workstation = size.hosts + random.nextInt(SPARE_HOSTS / 2);
  const { team, department } = organisation.persons[scene.victim()];
  const targets = [
    ...shuffled(hostsOf(HUB), random).slice(0, 3),
    ...teamHosts[team],
    ...departmentServers[department],
    ...shuffled(hostsOf(COMPANY_SERVER), random).slice(0, 2),
  ];
  const first = random.nextInt(Math.max(1, Math.floor(days.length / 2)));
  for (const [i, day] of days.slice(first).entries()) {
    const arrival = scene.hoursOf(day, 7.5, 9);
    rows.login(arrival, user, workstation, workstation, INTERACTIVE);
    rows.askTicketGrantingTicket(arrival, user, workstation);
    let second = arrival;
    for (let n = 6 + random.nextInt(10); n > 0; n--) {
      const target = oneOf(targets.slice(0, 3 + i), random);
      rows.loginWithTicket(second, user, workstation, target);
      second += 20 + Math.floor(random.nextFloat() * 1.2 * HOUR_SECONDS);
      if (second > arrival + 9 * HOUR_SECONDS) break;
    }
  }
}

/** People who come to a new server, at most: a large department has others. */
const NEW_SERVER_PEOPLE_MAX = 40;

/** A new server to which a whole department comes within two days, and which logs on to the usual places itself. */
export function newServer(scene: Scene): void {
  const { organisation, random, rows, days, accounts } = scene;
  const { size, persons, hostsOf } = organisation;
  const server = size.hosts + SPARE_HOSTS / 2 + random.nextInt(SPARE_HOSTS / 2);
  const machine = accounts.machine(server);
  const { department } = persons[scene.victim()];
  const members = persons.flatMap((person, i) =>
    person.department === department && person.joinDay === 0 ? [i] : [],
  );
  members.splice(NEW_SERVER_PEOPLE_MAX);
  const first = random.nextInt(Math.max(1, Math.floor(days.length / 2)));
  for (const [i, day] of days.slice(first).entries()) {
    const start = day * DAY_SECONDS + 6 * HOUR_SECONDS;
    rows.askTicketGrantingTicket(start, machine, server);
    for (const hub of shuffled(hostsOf(HUB), random).slice(0, 3))
      rows.loginWithTicket(start + random.nextInt(12 * HOUR_SECONDS), machine, server, hub);
    for (const person of members.slice(0, i === 0 ? Math.ceil(members.length / 2) : members.length)) {
      const second = scene.atWork(person, day);
      if (second >= 0 && random.nextFloat() < 0.6)
        rows.loginWithTicket(second, person, scene.workstationOf(person), server);
    }
  }
}
