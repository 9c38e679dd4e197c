import { Random } from "../model/random.ts";
import type { Accounts } from "./accounts.ts";
import { type Attendance, DAY_SECONDS, HOUR_SECONDS } from "./calendar.ts";
import { AliasTable, exponential, geometric, logNormal, oneOf } from "./distributions.ts";
import type { Activity } from "./habits.ts";
import { APPLICATION_SERVER, COMPANY_SERVER, HUB, JUMP_HOST, RESERVE } from "./host-roles.ts";
import { FOREVER, type Links, MACHINE_KERBEROS, PERSON_KERBEROS, PERSON_NTLM } from "./links.ts";
import { isWithinCommunity, type Organisation } from "./organisation.ts";
import { LOGINS_PER_NEW_PAIR } from "./published.ts";
import type { Schedule } from "./schedule.ts";

/** The published rate is a mean that holds the first days, in which all is new. */
const LOGINS_PER_LATER_PAIR = 1.3 * LOGINS_PER_NEW_PAIR;
const MACHINE_SHARE = 0.25;
/** Of a person's new links, those to any host at all, as implausible as an attacker's. */
const ARBITRARY_SHARE = 0.22;
const SIBLING_SHARE = 0.3;
const SPURT_LINKS = 3;
const SPURT_SECONDS = 3 * HOUR_SECONDS;
const OTHER_SOURCE_SHARE = 0.05;
const NTLM_SHARE = 0.06;
const DRAWS_MAX = 6;

/** A day whose changes are being made. */
export type Today = {
  readonly day: number;
  readonly attendance: Attendance;
  readonly schedule: Schedule;
  readonly random: Random;
};

/** New links in spurts: a person, or a machine, that has something new to do for a few hours. */
export class Exploration {
  readonly #organisation: Organisation;
  readonly #accounts: Accounts;
  readonly #links: Links;
  readonly #activity: Activity;
  /** The workstation that each person has now, and the servers that not everybody uses; both change from outside. */
  readonly #workstation: Int32Array;
  readonly #servers: readonly number[];
  readonly #curiosity: AliasTable;

  constructor(
    organisation: Organisation,
    accounts: Accounts,
    links: Links,
    activity: Activity,
    workstation: Int32Array,
    servers: readonly number[],
    seed: number,
  ) {
    this.#organisation = organisation;
    this.#accounts = accounts;
    this.#links = links;
    this.#activity = activity;
    this.#workstation = workstation;
    this.#servers = servers;
    const random = new Random(seed, "curiosity");
    this.#curiosity = new AliasTable(
      organisation.persons.map(({ isAdministrator }) => logNormal(random, 1) * (isAdministrator ? 6 : 1)),
    );
  }

  /** @param remoteLogins how many remote logins the day will have, about */
  explore(today: Today, remoteLogins: number): void {
    const pairs = remoteLogins / LOGINS_PER_LATER_PAIR;
    this.#people(today, pairs * (1 - MACHINE_SHARE));
    this.#machines(today, pairs * MACHINE_SHARE);
  }

  #people({ attendance, schedule, random }: Today, pairs: number): void {
    const { persons } = this.#organisation;
    let made = random.nextFloat();
    for (let tries = 0; made < pairs && tries < 20 * pairs + 20; tries++) {
      const person = this.#curiosity.draw(random);
      const arrival = attendance.arrival[person];
      if (arrival < 0) continue;
      const departure = attendance.departure[person];
      const start = arrival + random.nextFloat() * Math.max(1, departure - arrival - SPURT_SECONDS);
      for (let i = geometric(random, SPURT_LINKS); i > 0; i--) {
        const target = this.#newTarget(person, random);
        const source = this.#sourceFor(person, random);
        if (target === source) continue;
        const isFar = !isWithinCommunity(this.#organisation, person, target);
        const bornAt = Math.min(departure, Math.floor(start + random.nextFloat() * SPURT_SECONDS));
        const stays = random.nextFloat() < (isFar ? 0.25 : 0.6);
        const days = stays ? 1 + exponential(random, isFar ? 5 : 20) : 1;
        const weight = stays ? this.#activity.person[person] * 0.01 : 0;
        const link = this.#links.add({
          account: person,
          source,
          target,
          group: random.nextFloat() < NTLM_SHARE ? PERSON_NTLM : PERSON_KERBEROS,
          atWork: weight,
          steady: 0.2 * weight,
          bornAt,
          diesAt: Math.min(bornAt + days * DAY_SECONDS, personEnd(persons[person].leaveDay)),
        });
        schedule.use(link, bornAt);
        for (let n = geometric(random, 2); n > 1; n--)
          schedule.use(link, Math.min(departure, bornAt + random.nextFloat() * SPURT_SECONDS));
        made++;
      }
    }
  }

  #newTarget(person: number, random: Random): number {
    const { hostsOf, departmentServers, teamHosts, persons, projects, size } = this.#organisation;
    const { department, projects: own } = persons[person];
    const draw = random.nextFloat();
    if (draw < ARBITRARY_SHARE) {
      for (let i = 0; i < DRAWS_MAX; i++) {
        const host = random.nextFloat() < 0.75 ? oneOf(this.#servers, random) : random.nextInt(size.hosts);
        if (
          !isWithinCommunity(this.#organisation, person, host) &&
          this.#organisation.roles[host] !== RESERVE
        )
          return host;
      }
    }
    if (draw < ARBITRARY_SHARE + SIBLING_SHARE) {
      // A team of the same department: a person in the department gives its host.
      const sibling = random.nextInt(persons.length);
      if (persons[sibling].department === department) return oneOf(teamHosts[persons[sibling].team], random);
      return oneOf(departmentServers[department], random);
    }
    if (draw < 0.75) return oneOf(departmentServers[department], random);
    if (draw < 0.87 && own.length > 0) return oneOf(projects[oneOf(own, random)].servers, random);
    return oneOf(
      hostsOf(
        random.nextFloat() < 0.3 ? HUB : random.nextFloat() < 0.8 ? COMPANY_SERVER : APPLICATION_SERVER,
      ),
      random,
    );
  }

  #sourceFor(person: number, random: Random): number {
    const { persons, hostsOf } = this.#organisation;
    const { isAdministrator, secondMachine, team } = persons[person];
    if (isAdministrator && random.nextFloat() < 0.4) return oneOf(hostsOf(JUMP_HOST), random);
    const draw = random.nextFloat();
    if (draw < OTHER_SOURCE_SHARE) {
      // A colleague's desk: people of a team have neighbouring numbers.
      const colleague = Math.min(
        persons.length - 1,
        Math.max(0, person + (random.nextFloat() < 0.5 ? 1 : -1)),
      );
      if (persons[colleague].team === team) return this.#workstation[colleague];
    }
    return secondMachine >= 0 && draw > 0.8 ? secondMachine : this.#workstation[person];
  }

  #machines({ day, schedule, random }: Today, pairs: number): void {
    const { size, roles, hostDepartment, departmentServers, hostsOf } = this.#organisation;
    let made = random.nextFloat();
    while (made < pairs) {
      const host = random.nextInt(size.hosts);
      const start = random.nextFloat() * (DAY_SECONDS - HOUR_SECONDS);
      const isIdle = roles[host] === RESERVE;
      for (let i = geometric(random, SPURT_LINKS); i > 0; i--, made++) {
        const department = hostDepartment[host];
        const draw = random.nextFloat();
        const target =
          draw < 0.5 && department >= 0
            ? oneOf(departmentServers[department], random)
            : draw < 0.7
              ? oneOf(hostsOf(COMPANY_SERVER), random)
              : oneOf(this.#servers, random);
        if (isIdle || target === host) continue;
        const bornAt = Math.floor(day * DAY_SECONDS + start + random.nextFloat() * HOUR_SECONDS);
        const stays = random.nextFloat() < 0.4;
        const link = this.#links.add({
          account: this.#accounts.machine(host),
          source: host,
          target,
          group: MACHINE_KERBEROS,
          atWork: 0,
          steady: stays ? 0.02 : 0,
          bornAt,
          diesAt: Math.floor(bornAt + (stays ? 1 + exponential(random, 15) : 1) * DAY_SECONDS),
        });
        schedule.use(link, bornAt);
        if (random.nextFloat() < 0.5) schedule.use(link, bornAt + random.nextFloat() * HOUR_SECONDS);
      }
    }
  }
}

function personEnd(leaveDay: number): number {
  return leaveDay === Number.POSITIVE_INFINITY ? FOREVER : leaveDay * DAY_SECONDS;
}
