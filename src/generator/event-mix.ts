import { AliasTable } from "./distributions.ts";
import {
  ANONYMOUS_NTLM,
  MACHINE_KERBEROS,
  MACHINE_LOCAL,
  MACHINE_NTLM,
  PERSON_KERBEROS,
  PERSON_LOCAL,
  PERSON_NTLM,
  REMOTE_DESKTOP,
} from "./links.ts";
import { HOURS_HUMAN, HOURS_MACHINE } from "./published.ts";

/** What is drawn; tickets and log-offs come with it. */
export const LOGIN_AT_WORK = 0;
export const LOGIN_STEADY = 1;
export const LOGIN_LOCAL = 2;
export const LOGIN_NTLM = 3;
export const LOGIN_NTLM_LOCAL = 4;
export const MACHINE_LOGIN = 5;
export const MACHINE_LOGIN_LOCAL = 6;
export const MACHINE_LOGIN_NTLM = 7;
export const ANONYMOUS_LOGIN = 8;
export const SERVICE_NETWORK = 9;
export const SERVICE_SYSTEM = 10;
export const SERVICE_LOCAL = 11;
export const TICKET_FAIL = 12;
export const MAP_MACHINE = 13;
export const MAP_PERSON_REMOTE = 14;
export const MAP_OTHER = 15;
export const AT_CONSOLE = 16;
export const UNLOCK_REMOTE = 17;
export const BATCH_RUN = 18;
export const OTHER_CREDENTIALS = 19;
export const SESSION_END = 20;
export const OLD_PACKAGE = 21;
export const DESKTOP = 22;
export const SCREEN = 23;
export const CLEARTEXT = 24;

/** By action: the group of links that it draws from, or -1. */
export const LINK_GROUP = new Int8Array(CLEARTEXT + 1).fill(-1);
LINK_GROUP[LOGIN_AT_WORK] = PERSON_KERBEROS;
LINK_GROUP[LOGIN_STEADY] = PERSON_KERBEROS;
LINK_GROUP[LOGIN_LOCAL] = PERSON_LOCAL;
LINK_GROUP[LOGIN_NTLM] = PERSON_NTLM;
LINK_GROUP[MACHINE_LOGIN] = MACHINE_KERBEROS;
LINK_GROUP[MACHINE_LOGIN_LOCAL] = MACHINE_LOCAL;
LINK_GROUP[MACHINE_LOGIN_NTLM] = MACHINE_NTLM;
LINK_GROUP[ANONYMOUS_LOGIN] = ANONYMOUS_NTLM;
LINK_GROUP[DESKTOP] = REMOTE_DESKTOP;

/** Percent of all rows, as published or counted, and whose day it follows. */
const MIX: readonly {
  readonly action: number;
  readonly percent: number;
  readonly hours: "human" | "machine" | "flat";
}[] = [
  { action: LOGIN_LOCAL, percent: 1.66, hours: "human" },
  { action: LOGIN_NTLM, percent: 0.7, hours: "human" },
  { action: LOGIN_NTLM_LOCAL, percent: 0.45, hours: "human" },
  { action: MACHINE_LOGIN, percent: 21.5, hours: "machine" },
  { action: MACHINE_LOGIN_LOCAL, percent: 2.3, hours: "machine" },
  { action: MACHINE_LOGIN_NTLM, percent: 1.55, hours: "machine" },
  { action: ANONYMOUS_LOGIN, percent: 1.87, hours: "machine" },
  { action: SERVICE_NETWORK, percent: 3.75, hours: "flat" },
  { action: SERVICE_SYSTEM, percent: 0.57, hours: "flat" },
  { action: SERVICE_LOCAL, percent: 0.23, hours: "flat" },
  { action: TICKET_FAIL, percent: 0.86, hours: "human" },
  { action: MAP_MACHINE, percent: 0.3, hours: "human" },
  { action: MAP_PERSON_REMOTE, percent: 0.24, hours: "human" },
  { action: MAP_OTHER, percent: 0.26, hours: "human" },
  { action: AT_CONSOLE, percent: 0.28, hours: "human" },
  { action: UNLOCK_REMOTE, percent: 0.2, hours: "human" },
  { action: BATCH_RUN, percent: 0.15, hours: "flat" },
  { action: OTHER_CREDENTIALS, percent: 0.11, hours: "flat" },
  { action: SESSION_END, percent: 0.27, hours: "human" },
  { action: OLD_PACKAGE, percent: 0.05, hours: "flat" },
  { action: DESKTOP, percent: 0.0064, hours: "human" },
  { action: SCREEN, percent: 0.015, hours: "human" },
  { action: CLEARTEXT, percent: 0.03, hours: "flat" },
];
/** Remote Kerberos logins of human accounts, percent of rows, of which the flat part of the day comes without anybody at work. */
const HUMAN_LOGINS = 9.0;
const STEADY_SHARE = 0.65;
const WEEKEND_AT_WORK = 0.04;
/** On a weekend people's accounts rest more than machines do. */
const WEEKEND_HUMAN = 0.9;
const FLAT = 100 / 24;

/** Tables of what is drawn, by hour: the first 24 for weekdays, the rest for weekends. */
export function mixByHour(): AliasTable[] {
  return Array.from({ length: 48 }, (_, i) => {
    const isWeekend = i >= 24;
    const human = isWeekend ? WEEKEND_HUMAN : HOURS_HUMAN[i] / FLAT;
    const machine = isWeekend ? 1 : HOURS_MACHINE[i] / FLAT;
    const weights = new Float64Array(CLEARTEXT + 1);
    for (const { action, percent, hours } of MIX) {
      weights[action] = percent * (hours === "human" ? human : hours === "machine" ? machine : 1);
    }
    const total = HUMAN_LOGINS * human;
    const least = isWeekend ? WEEKEND_AT_WORK * total : 0.02 * total;
    weights[LOGIN_AT_WORK] = Math.max(least, total - HUMAN_LOGINS * STEADY_SHARE);
    weights[LOGIN_STEADY] = total - weights[LOGIN_AT_WORK];
    return new AliasTable(weights);
  });
}
