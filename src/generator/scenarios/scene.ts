import type { Random } from "../../model/random.ts";
import type { Accounts } from "../accounts.ts";
import { type Attendance, type Calendar, DAY_SECONDS, HOUR_SECONDS } from "../calendar.ts";
import { logNormal, oneOf, shuffled } from "../distributions.ts";
import { DEPARTMENT_SERVER, PROJECT_SERVER, RESERVE, SPARE, TEAM_HOST } from "../host-roles.ts";
import { isWithinCommunity, type Organisation } from "../organisation.ts";
import { Injection } from "./injection.ts";

/** The first part of the stream has no scenario: detectors learn from it. */
const WARM_UP_SHARE = 1 / 3;
const DRAWS_MAX = 200;

/** Where a scenario plays: the organisation, the days, and what an attacker or a newcomer may pick from it. */
export class Scene {
  readonly organisation: Organisation;
  readonly accounts: Accounts;
  readonly calendar: Calendar;
  readonly random: Random;
  readonly rows: Injection;
  /** Days on which something may happen, in order: working days if there are any. */
  readonly days: readonly number[];
  readonly #servers: readonly number[];
  readonly #taken = new Set<number>();
  readonly #attendance = new Map<number, Attendance>();

  constructor(organisation: Organisation, accounts: Accounts, calendar: Calendar, random: Random) {
    this.organisation = organisation;
    this.accounts = accounts;
    this.calendar = calendar;
    this.random = random;
    const { days } = organisation.size;
    this.rows = new Injection(days * DAY_SECONDS, random);
    const first = Math.min(days - 1, Math.ceil(days * WARM_UP_SHARE));
    const all = Array.from({ length: days - first }, (_, i) => first + i);
    const working = all.filter((day) => !calendar.isWeekend(day));
    this.days = working.length > 0 ? working : all;
    this.#servers = [DEPARTMENT_SERVER, TEAM_HOST, PROJECT_SERVER].flatMap((role) => [
      ...organisation.hostsOf(role),
    ]);
  }

  /** Someone who is there from the first day to the last, not on holiday meanwhile, and no administrator; each only once. */
  victim(): number {
    const { persons } = this.organisation;
    let person = 0;
    for (let i = 0; i < DRAWS_MAX; i++) {
      person = this.random.nextInt(persons.length);
      const { joinDay, leaveDay, isAdministrator } = persons[person];
      if (joinDay > 0 || leaveDay < Number.POSITIVE_INFINITY || isAdministrator) continue;
      if (this.#taken.has(person)) continue;
      if (!this.days.some((day) => this.calendar.isOnHoliday(person, day))) break;
    }
    this.#taken.add(person);
    return person;
  }

  victims(count: number): number[] {
    return Array.from({ length: Math.min(count, Math.floor(this.organisation.persons.length / 2)) }, () =>
      this.victim(),
    );
  }

  workstationOf(person: number): number {
    return this.organisation.persons[person].workstation;
  }

  /** A server that nothing in a person's place leads to, and that is not among those given. */
  foreignServer(person: number, except: ReadonlySet<number> = new Set()): number {
    for (let i = 0; i < DRAWS_MAX; i++) {
      const server = oneOf(this.#servers, this.random);
      if (!except.has(server) && !isWithinCommunity(this.organisation, person, server)) return server;
    }
    return oneOf(this.#servers, this.random);
  }

  server(): number {
    return oneOf(this.#servers, this.random);
  }

  /** Any machine that is in use but `except`. */
  anyHost(except: number): number {
    const { roles, size } = this.organisation;
    for (;;) {
      const host = this.random.nextInt(size.hosts);
      if (host !== except && roles[host] !== RESERVE && roles[host] !== SPARE) return host;
    }
  }

  anyWorkstation(except: number): number {
    for (;;) {
      const host = oneOf(this.organisation.persons, this.random).workstation;
      if (host !== except) return host;
    }
  }

  /** So many different days in order, or as many as there are. */
  someDays(count: number): number[] {
    return shuffled(this.days, this.random)
      .slice(0, Math.max(1, Math.round(count)))
      .sort((a, b) => a - b);
  }

  /** A second in an attacker's working hours, mostly nine to four. */
  hoursOf(day: number, from = 9, until = 16): number {
    return day * DAY_SECONDS + Math.floor((from + (until - from) * this.random.nextFloat()) * HOUR_SECONDS);
  }

  /** A second at which a person is at work on that day, or -1. */
  atWork(person: number, day: number): number {
    let attendance = this.#attendance.get(day);
    if (attendance === undefined) this.#attendance.set(day, (attendance = this.calendar.attendance(day)));
    const arrival = attendance.arrival[person];
    if (arrival < 0) return -1;
    return (
      arrival +
      600 +
      Math.floor(this.random.nextFloat() * Math.max(1, attendance.departure[person] - arrival - 1200))
    );
  }

  /** Seconds between two logins of a hand at work: published deciles 8 to 1,062, median 89. */
  gap(): number {
    return 1 + Math.floor(89 * logNormal(this.random, 1.8));
  }
}
