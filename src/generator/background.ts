import { Random } from "../model/random.ts";
import type { Accounts } from "./accounts.ts";
import { type Calendar, DAY_SECONDS } from "./calendar.ts";
import { Changes } from "./changes.ts";
import { aliveOn, DayTables } from "./day-tables.ts";
import { AliasTable, oneOf } from "./distributions.ts";
import { BLOCK_SECONDS, type EventWriter } from "./event-block.ts";
import * as mix from "./event-mix.ts";
import { addHabits } from "./habits.ts";
import { HUB, OTHER_MACHINE, RESERVE, SPARE, WORKSTATION } from "./host-roles.ts";
import {
  ANONYMOUS_NTLM,
  Links,
  MACHINE_KERBEROS,
  MACHINE_LOCAL,
  MACHINE_NTLM,
  PERSON_KERBEROS,
  PERSON_NTLM,
  REMOTE_DESKTOP,
} from "./links.ts";
import type { Organisation } from "./organisation.ts";
import * as kind from "./row-kinds.ts";
import type { Schedule } from "./schedule.ts";
import { Tickets } from "./tickets.ts";

/** Rows in the log that are remote logins. */
const REMOTE_SHARE = 0.347;
const EXTRA_LOG_OFF = 0.08;
const ANONYMOUS_LOG_OFF = 0.65;
/** Desk links that are used within a minute of sitting down. */
const MORNING_LINKS = 4;
const SERVER_WEIGHT = 8;
/** Draws of one minute that may come to nothing, as where nobody is at work. */
const IDLE_DRAWS_MAX = 10_000;

/** The rows of everyday life, minute by minute. */
export class Background {
  readonly #organisation: Organisation;
  readonly #accounts: Accounts;
  readonly #calendar: Calendar;
  readonly #links: Links;
  readonly #changes: Changes;
  readonly #writer: EventWriter;
  readonly #random: Random;
  readonly #tickets: Tickets;
  readonly #mixes = mix.mixByHour();
  readonly #hostTable: AliasTable;
  #live = new Int32Array(0);
  #seen = 0;
  #tables!: DayTables;
  #schedule!: Schedule;

  constructor(
    organisation: Organisation,
    accounts: Accounts,
    calendar: Calendar,
    writer: EventWriter,
    seed: number,
    ticketTarget: number,
  ) {
    this.#organisation = organisation;
    this.#accounts = accounts;
    this.#calendar = calendar;
    this.#writer = writer;
    const links = new Links(accounts.hosts);
    this.#links = links;
    const activity = addHabits(organisation, accounts, links, new Random(seed, "habits"));
    this.#changes = new Changes(organisation, accounts, calendar, links, activity, seed);
    this.#random = new Random(seed, "events");
    this.#tickets = new Tickets(links, writer, this.#random, ticketTarget);
    this.#hostTable = new AliasTable(
      Array.from(organisation.roles, (role) => {
        if (role === RESERVE || role === SPARE) return 0;
        return role === WORKSTATION || role === OTHER_MACHINE ? 1 : SERVER_WEIGHT;
      }),
    );
  }

  /** @param rows rows of the coming day */
  beginDay(day: number, rows: number): void {
    const dayStart = day * DAY_SECONDS;
    const attendance = this.#calendar.attendance(day);
    this.#live = aliveOn(this.#links, this.#live, this.#seen, dayStart);
    this.#seen = this.#links.count;
    this.#schedule = this.#changes.plan(day, attendance, this.#live, rows * REMOTE_SHARE);
    this.#live = aliveOn(this.#links, this.#live, this.#seen, dayStart);
    this.#seen = this.#links.count;
    this.#schedule.sort();
    this.#tables = new DayTables(this.#links, this.#live, attendance, this.#changes.workstation);
  }

  /**
   * Appends the rows of a minute.
   *
   * @param start its first second
   * @param rows how many rows the stream has by its end; the last conversation may bring a few more
   */
  minute(start: number, rows: number): void {
    this.#schedule.until(
      start + BLOCK_SECONDS,
      (link, second) => this.#login(link, second),
      (person, second) => this.#arrive(person, second),
    );
    const day = Math.floor(start / DAY_SECONDS);
    const hour = Math.floor((start % DAY_SECONDS) / 3600);
    const table = this.#mixes[hour + (this.#calendar.isWeekend(day) ? 24 : 0)];
    const random = this.#random;
    const writer = this.#writer;
    for (let idle = 0; writer.rows < rows && idle < IDLE_DRAWS_MAX; ) {
      const before = writer.rows;
      this.#act(table.draw(random), start + random.nextInt(BLOCK_SECONDS));
      if (writer.rows === before) idle++;
    }
  }

  #act(action: number, second: number): void {
    const group = mix.LINK_GROUP[action];
    if (group < 0) {
      this.#minorAct(action, second);
      return;
    }
    const random = this.#random;
    let link = -1;
    if (action === mix.LOGIN_AT_WORK) link = this.#tables.drawAtWork(second, random);
    this.#login(link >= 0 ? link : this.#tables.steady[group].draw(second, random), second);
  }

  /** Everything but network logins: a sixth of the draws. */
  #minorAct(action: number, second: number): void {
    const random = this.#random;
    const accounts = this.#accounts;
    switch (action) {
      case mix.LOGIN_NTLM_LOCAL: {
        const i = random.nextInt(accounts.locals);
        const host = accounts.hostOfLocal(i);
        this.#ntlm(accounts.local(i), host, host, second, 0.02);
        return;
      }
      case mix.SERVICE_NETWORK: {
        const host = this.#hostTable.draw(random);
        this.#local(second, accounts.networkService(host), host, kind.SERVICE);
        return;
      }
      case mix.SERVICE_SYSTEM: {
        const host = this.#hostTable.draw(random);
        this.#local(second, accounts.machine(host), host, kind.SERVICE, accounts.system(host));
        return;
      }
      case mix.SERVICE_LOCAL: {
        const host = this.#hostTable.draw(random);
        this.#local(second, accounts.localService(host), host, kind.SERVICE);
        return;
      }
      case mix.OTHER_CREDENTIALS: {
        const host = this.#hostTable.draw(random);
        this.#local(second, accounts.machine(host), host, kind.NEW_CREDENTIALS, accounts.system(host));
        return;
      }
      case mix.OLD_PACKAGE: {
        const host = this.#hostTable.draw(random);
        this.#local(
          second,
          accounts.machine(host),
          host,
          random.nextFloat() < 0.9 ? kind.MSV1_0_FAIL : kind.MSV1_0,
        );
        return;
      }
      case mix.TICKET_FAIL:
        this.#ticketFail(second);
        return;
      case mix.MAP_OTHER:
        if (random.nextFloat() < 0.55) {
          const host = this.#hostTable.draw(random);
          const target = random.nextFloat() < 0.65 ? host : this.#hub();
          this.#writer.append(
            second,
            accounts.machine(host),
            accounts.machine(host),
            host,
            target,
            kind.AUTH_MAP,
          );
          return;
        }
        this.#personAct(action, second);
        return;
      default:
        this.#personAct(action, second);
        return;
    }
  }

  /** What somebody's account does where he works. */
  #personAct(action: number, second: number): void {
    const random = this.#random;
    const accounts = this.#accounts;
    const links = this.#links;
    const steady = this.#tables.steady[PERSON_KERBEROS];
    const isConsole = action === mix.AT_CONSOLE || action === mix.SCREEN || action === mix.UNLOCK_REMOTE;
    const link = isConsole ? this.#tables.drawAtWork(second, random) : steady.draw(second, random);
    if (link < 0 || links.isDelegated[link]) return;
    const account = links.account[link];
    const source = links.source[link];
    const target = links.target[link];
    const machine = accounts.machine(source);
    const draw = random.nextFloat();
    switch (action) {
      case mix.MAP_MACHINE:
        this.#local(second, account, source, kind.AUTH_MAP, machine);
        return;
      case mix.MAP_PERSON_REMOTE:
        this.#writer.append(second, account, account, source, target, kind.AUTH_MAP);
        return;
      case mix.MAP_OTHER:
        this.#local(second, account, source, kind.AUTH_MAP);
        return;
      case mix.AT_CONSOLE:
        if (draw < 0.2) {
          this.#local(second, account, source, kind.INTERACTIVE_FAIL);
          return;
        }
        if (draw < 0.7) {
          this.#local(second, account, source, kind.INTERACTIVE);
          return;
        }
        this.#local(second, machine, source, draw < 0.95 ? kind.UNLOCK : kind.UNLOCK_FAIL, account);
        return;
      case mix.UNLOCK_REMOTE: {
        // Where a domain controller checks the password, it is named as the source.
        if (draw < 0.65) {
          const from = this.#hub();
          const outcome = draw < 0.1 ? kind.UNLOCK_FAIL : kind.UNLOCK;
          this.#writer.append(second, machine, account, from, source, outcome);
          return;
        }
        this.#local(second, machine, source, kind.UNLOCK, account);
        return;
      }
      case mix.BATCH_RUN:
        this.#local(second, account, source, draw < 0.14 ? kind.BATCH_FAIL : kind.BATCH);
        return;
      case mix.SESSION_END: {
        const what =
          draw < 0.35
            ? kind.UNLOCK_OFF
            : draw < 0.6
              ? kind.BATCH_OFF
              : draw < 0.8
                ? kind.INTERACTIVE_OFF
                : draw < 0.92
                  ? kind.SERVICE_OFF
                  : kind.CLEARTEXT_OFF;
        this.#local(second, account, source, what);
        return;
      }
      case mix.SCREEN:
        this.#local(second, account, source, draw < 0.5 ? kind.SCREEN_LOCK : kind.SCREEN_UNLOCK);
        return;
      default:
        if (draw < 0.6) {
          this.#local(second, machine, source, kind.NETWORK_CLEARTEXT, account);
          return;
        }
        this.#local(second, account, source, kind.CACHED_INTERACTIVE);
        return;
    }
  }

  /** Someone sits down at his desk: console, tickets, the servers that everybody needs. */
  #arrive(person: number, second: number): void {
    const found = this.#tables.fromDesk(person, second, MORNING_LINKS);
    if (found.length === 0) return;
    const random = this.#random;
    const { source } = this.#links;
    if (random.nextFloat() < 0.3) this.#local(second, person, source[found[0]], kind.INTERACTIVE);
    for (const link of found) this.#tickets.forget(link);
    let at = second;
    for (const link of found) {
      this.#login(link, at);
      at += random.nextInt(15);
    }
  }

  #login(link: number, second: number): void {
    if (link < 0) return;
    const { account: accounts, source: sources, target: targets, group, isDelegated } = this.#links;
    const account = accounts[link];
    const source = sources[link];
    const target = targets[link];
    switch (group[link]) {
      case PERSON_NTLM:
        this.#ntlm(account, source, target, second, 0.12);
        return;
      case MACHINE_NTLM:
        this.#ntlm(account, source, target, second, 0.026);
        return;
      case ANONYMOUS_NTLM:
        this.#writer.append(second, account, account, source, target, kind.NTLM);
        if (this.#random.nextFloat() < ANONYMOUS_LOG_OFF) this.#logOff(second, account, target);
        return;
      case REMOTE_DESKTOP:
        this.#tickets.before(link, second, false);
        this.#writer.append(second, account, account, source, target, kind.REMOTE_INTERACTIVE);
        // Whoever works on a desktop from afar has tickets there.
        this.#local(second + 2, account, target, kind.TGT);
        return;
    }
    const isMachine = group[link] === MACHINE_KERBEROS || group[link] === MACHINE_LOCAL;
    if (isDelegated[link] === 0) this.#tickets.before(link, second, isMachine);
    const draw = this.#random.nextFloat();
    if (draw < (isMachine ? 0.0025 : 0.001)) {
      this.#writer.append(second, account, account, source, target, kind.KERBEROS_FAIL);
      return;
    }
    this.#writer.append(second, account, account, source, target, kind.KERBEROS);
    this.#logOff(second, account, target);
    if (draw > 1 - EXTRA_LOG_OFF) this.#logOff(second, account, target);
  }

  #ntlm(account: number, source: number, target: number, second: number, failShare: number): void {
    const isFailed = this.#random.nextFloat() < failShare;
    this.#writer.append(second, account, account, source, target, isFailed ? kind.NTLM_FAIL : kind.NTLM);
    if (!isFailed) this.#logOff(second, account, target);
  }

  #logOff(second: number, account: number, host: number): void {
    this.#local(this.#writer.afterwards(second, this.#random), account, host, kind.LOG_OFF);
  }

  #local(second: number, account: number, host: number, what: number, targetAccount = account): void {
    this.#writer.append(second, account, targetAccount, host, host, what);
  }

  /** Most are names that no domain knows, tried again and again by something that was set up long ago. */
  #ticketFail(second: number): void {
    const random = this.#random;
    const accounts = this.#accounts;
    if (random.nextFloat() < 0.85) {
      const i = Math.floor(random.nextFloat() ** 2 * accounts.unknowns);
      this.#local(second, accounts.unknown(i), (i * 7919) % this.#organisation.persons.length, kind.TGT_FAIL);
      return;
    }
    const host = this.#hostTable.draw(random);
    this.#local(second, accounts.machine(host), host, kind.TGT_FAIL);
    return;
  }

  #hub(): number {
    return oneOf(this.#organisation.hostsOf(HUB), this.#random);
  }
}
