import { LANL_DAYS, LANL_HOSTS, LANL_ROWS, LANL_USERS } from "./published.ts";

export type StreamSize = {
  /** Rows of the background; injected rows come on top. */
  readonly logins: number;
  readonly days: number;
  /** Domain accounts of people and services. */
  readonly users: number;
  readonly hosts: number;
};

export const LOGINS_MIN = 1000;
/** Ten times LANL: more users and hosts than that would no longer fit the memory that is promised. */
export const LOGINS_MAX = 10 * LANL_ROWS;
export const DAYS_MAX = 366;
export const USERS_MIN = 20;
export const USERS_MAX = 200_000;
export const HOSTS_MAX = 300_000;
/** Servers, appliances and spare machines that even the smallest organisation has beside a workstation for each user. */
export const HOSTS_BESIDE_USERS_MIN = 60;
/** Fewer rows than that for a user and day, and people's mornings alone would fill the stream. */
const ROWS_PER_USER_DAY_MIN = 20;

/** A stream of LANL's length is LANL's size; a shorter one is a smaller organisation over fewer days, a little less busy. */
export function sizeOf(logins: number, given: Partial<Omit<StreamSize, "logins">> = {}): StreamSize {
  const scale = logins / LANL_ROWS;
  const days = given.days ?? clamp(Math.round(LANL_DAYS * scale ** 0.2284), 2, LANL_DAYS);
  const users = given.users ?? clamp(Math.round(LANL_USERS * scale ** 0.6), USERS_MIN, LANL_USERS);
  const hosts =
    given.hosts ?? Math.max(Math.round((users * LANL_HOSTS) / LANL_USERS), users + HOSTS_BESIDE_USERS_MIN);
  return { logins, days, users, hosts };
}

/** What is wrong with a size, as a sentence; undefined if nothing is. */
export function sizeProblem({ logins, days, users, hosts }: StreamSize): string | undefined {
  if (!isWhole(logins, LOGINS_MIN, LOGINS_MAX))
    return `--logins takes a whole number from ${LOGINS_MIN} to ${LOGINS_MAX}`;
  if (!isWhole(days, 1, DAYS_MAX)) return `--days takes a whole number from 1 to ${DAYS_MAX}`;
  if (!isWhole(users, USERS_MIN, USERS_MAX))
    return `--users takes a whole number from ${USERS_MIN} to ${USERS_MAX}`;
  if (!isWhole(hosts, users + HOSTS_BESIDE_USERS_MIN, HOSTS_MAX)) {
    return `--hosts takes a whole number from ${users + HOSTS_BESIDE_USERS_MIN} (a workstation for each of ${users} users, and ${HOSTS_BESIDE_USERS_MIN} servers and other machines) to ${HOSTS_MAX}`;
  }
  const rows = logins / (users * days);
  if (rows < ROWS_PER_USER_DAY_MIN) {
    return `${logins} logins are ${rows.toFixed(1)} for each of ${users} users a day, at least ${ROWS_PER_USER_DAY_MIN} are needed: take more logins, or fewer users or days`;
  }
  return undefined;
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
