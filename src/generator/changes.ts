import { Random } from "../model/random.ts";
import type { Accounts } from "./accounts.ts";
import { type Attendance, type Calendar, DAY_SECONDS, HOUR_SECONDS } from "./calendar.ts";
import { Exploration, type Today } from "./exploration.ts";
import { type Activity, addHostLinks, SERVER_LEVEL } from "./habits.ts";
import {
  COMPANY_SERVER,
  DEPARTMENT_SERVER,
  HUB,
  PATCH_SERVER,
  PROJECT_SERVER,
  RESERVE,
  SCANNER,
  TEAM_HOST,
} from "./host-roles.ts";
import { type Links, PERSON_KERBEROS, PERSON_NTLM } from "./links.ts";
import type { Organisation } from "./organisation.ts";
import { Schedule } from "./schedule.ts";

const REPLACED_LAPTOPS_A_DAY = 0.0008;
const REPLACED_SERVERS_A_DAY = 0.0012;
const PATCHED_SHARE = 0.6;
const SCANNED_SHARE = 0.5;

/**
 * How the network changes from day to day: spurts of new links, projects that begin, laptops and servers that are replaced,
 * holiday cover, patch nights, scans. Each day has random numbers of its own.
 */
export class Changes {
  readonly #organisation: Organisation;
  readonly #accounts: Accounts;
  readonly #calendar: Calendar;
  readonly #links: Links;
  readonly #activity: Activity;
  readonly #seed: number;
  /** The workstation that each person has now. */
  readonly workstation: Int32Array;
  readonly #exploration: Exploration;
  readonly #servers: number[];
  readonly #reserve: number[];
  readonly #patched: number[] = [];
  readonly #scanned: number[] = [];

  constructor(
    organisation: Organisation,
    accounts: Accounts,
    calendar: Calendar,
    links: Links,
    activity: Activity,
    seed: number,
  ) {
    this.#organisation = organisation;
    this.#accounts = accounts;
    this.#calendar = calendar;
    this.#links = links;
    this.#activity = activity;
    this.#seed = seed;
    const { persons, hostsOf } = organisation;
    this.workstation = Int32Array.from(persons, ({ workstation }) => workstation);
    this.#servers = [DEPARTMENT_SERVER, TEAM_HOST, PROJECT_SERVER].flatMap((role) => [...hostsOf(role)]);
    this.#reserve = [...hostsOf(RESERVE)];
    this.#exploration = new Exploration(
      organisation,
      accounts,
      links,
      activity,
      this.workstation,
      this.#servers,
      seed,
    );
  }

  /**
   * Makes a day's changes.
   *
   * @param live links that are alive at its start; replaced laptops and servers are looked up there
   * @param remoteLogins how many remote logins the day will have, about
   */
  plan(day: number, attendance: Attendance, live: Int32Array, remoteLogins: number): Schedule {
    const random = new Random(this.#seed, `changes/${day}`);
    const dayStart = day * DAY_SECONDS;
    const schedule = new Schedule(dayStart, dayStart + DAY_SECONDS);
    for (const [person, second] of attendance.arrival.entries())
      if (second >= 0) schedule.arrive(person, second);
    const today: Today = { day, attendance, schedule, random };
    this.#patch(today);
    this.#scan(today);
    if (day === 0) return schedule;
    this.#replaceLaptops(today, live);
    if (!this.#calendar.isWeekend(day)) this.#replaceServers(today, live);
    this.#startProjects(today);
    this.#coverHolidays(today, live);
    this.#exploration.explore(today, remoteLogins);
    return schedule;
  }

  /** The habits of the old laptop go on from the new one. */
  #replaceLaptops({ attendance, random }: Today, live: Int32Array): void {
    const { persons, hostDepartment } = this.#organisation;
    for (const [person, arrival] of attendance.arrival.entries()) {
      if (random.nextFloat() >= REPLACED_LAPTOPS_A_DAY || arrival < 0 || this.#reserve.length === 0) continue;
      const before = this.workstation[person];
      const laptop = this.#reserve.pop()!;
      hostDepartment[laptop] = persons[person].department;
      this.workstation[person] = laptop;
      this.#hand(
        live,
        arrival,
        (link) => this.#links.source[link] === before && this.#links.account[link] === person,
        {
          source: laptop,
        },
      );
      addHostLinks(
        this.#organisation,
        this.#accounts,
        this.#links,
        { host: laptop, bornAt: arrival, level: 1 },
        random,
      );
    }
  }

  /** All who used the old server come to the new one: a wave of new links. */
  #replaceServers({ day, random }: Today, live: Int32Array): void {
    const { roles, hostDepartment, departmentServers, teamHosts, projects } = this.#organisation;
    for (const [i, before] of this.#servers.entries()) {
      if (random.nextFloat() >= REPLACED_SERVERS_A_DAY || this.#reserve.length === 0) continue;
      const server = this.#reserve.pop()!;
      const bornAt = day * DAY_SECONDS + 6 * HOUR_SECONDS;
      roles[server] = roles[before];
      hostDepartment[server] = hostDepartment[before];
      this.#servers[i] = server;
      for (const list of [...departmentServers, ...teamHosts, ...projects.map(({ servers }) => servers)]) {
        const at = list.indexOf(before);
        if (at >= 0) list[at] = server;
      }
      this.#hand(live, bornAt, (link) => this.#links.target[link] === before, { target: server });
      addHostLinks(
        this.#organisation,
        this.#accounts,
        this.#links,
        { host: server, bornAt, level: SERVER_LEVEL },
        random,
      );
    }
  }

  /** Ends links, and gives each an heir that differs in one end. */
  #hand(
    live: Int32Array,
    second: number,
    isMeant: (link: number) => boolean,
    change: { readonly source?: number; readonly target?: number },
  ): void {
    const links = this.#links;
    for (const link of live) {
      if (!isMeant(link) || links.diesAt[link] <= second) continue;
      const heir = { ...copyOf(links, link), ...change, bornAt: second };
      links.diesAt[link] = second;
      if (heir.source !== heir.target) links.add(heir);
    }
  }

  #startProjects({ day, attendance, schedule, random }: Today): void {
    const { projects } = this.#organisation;
    for (const { startDay, endDay, members, servers } of projects) {
      if (startDay !== day) continue;
      for (const person of members) {
        const arrival = attendance.arrival[person];
        if (arrival < 0) continue;
        const bornAt = arrival + Math.floor(random.nextFloat() * 4 * HOUR_SECONDS);
        for (const target of servers) {
          const weight = this.#activity.person[person] * 0.012;
          const link = this.#links.add({
            account: person,
            source: this.workstation[person],
            target,
            group: PERSON_KERBEROS,
            atWork: weight / 2,
            steady: weight / 2,
            bornAt,
            diesAt: endDay * DAY_SECONDS,
          });
          schedule.use(link, bornAt + random.nextFloat() * HOUR_SECONDS);
        }
      }
    }
  }

  /** A colleague does what the one on holiday did on the servers that not everybody uses. */
  #coverHolidays({ day, attendance, schedule, random }: Today, live: Int32Array): void {
    const { persons, roles } = this.#organisation;
    const covers = new Map<number, number>();
    for (let person = 0; person < persons.length; person++) {
      if (!this.#calendar.holidayStarts(person, day)) continue;
      const colleague = person + (random.nextFloat() < 0.5 ? 1 : -1);
      if (persons[colleague]?.department !== persons[person].department) continue;
      if (attendance.arrival[colleague] >= 0) covers.set(person, colleague);
    }
    if (covers.size === 0) return;
    const links = this.#links;
    for (const link of live) {
      const colleague = covers.get(links.account[link]);
      const role = roles[links.target[link]];
      if (colleague === undefined || links.group[link] !== PERSON_KERBEROS || links.isDelegated[link])
        continue;
      if (role === HUB || role === COMPANY_SERVER) continue;
      const source = this.workstation[colleague];
      if (source === links.target[link]) continue;
      const bornAt = attendance.arrival[colleague] + Math.floor(random.nextFloat() * HOUR_SECONDS);
      const diesAt = (day + this.#calendar.holidayDays) * DAY_SECONDS;
      schedule.use(links.add({ ...copyOf(links, link), account: colleague, source, bornAt, diesAt }), bornAt);
    }
  }

  #patch({ day, schedule, random }: Today): void {
    if (!this.#calendar.isPatchNight(day)) return;
    this.#sweep(this.#patched, 2, PATCH_SERVER, PERSON_KERBEROS, PATCHED_SHARE, random);
    for (const link of this.#patched)
      schedule.use(link, day * DAY_SECONDS + (1 + 3 * random.nextFloat()) * HOUR_SECONDS);
  }

  #scan({ day, schedule, random }: Today): void {
    if (day % 7 !== 1) return;
    this.#sweep(this.#scanned, 0, SCANNER, PERSON_NTLM, SCANNED_SHARE, random);
    for (const link of this.#scanned)
      schedule.use(link, day * DAY_SECONDS + (20 + 2 * random.nextFloat()) * HOUR_SECONDS);
  }

  /** Links of a service that goes to a large part of all hosts, made on the first time. */
  #sweep(swept: number[], service: number, role: number, group: number, share: number, random: Random): void {
    if (swept.length > 0) return;
    const { size, persons, roles, hostsOf } = this.#organisation;
    const source = hostsOf(role)[0];
    for (let target = 0; target < size.hosts; target++) {
      if (roles[target] === RESERVE || target === source || random.nextFloat() >= share) continue;
      swept.push(
        this.#links.add({ account: persons.length + service, source, target, group, atWork: 0, steady: 0 }),
      );
    }
  }
}

function copyOf(links: Links, link: number) {
  return {
    account: links.account[link],
    source: links.source[link],
    target: links.target[link],
    group: links.group[link],
    atWork: links.atWork[link],
    steady: links.steady[link],
    diesAt: links.diesAt[link],
    isDelegated: links.isDelegated[link] === 1,
  };
}
