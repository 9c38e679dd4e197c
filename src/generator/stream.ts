import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { Random } from "../model/random.ts";
import { Accounts } from "./accounts.ts";
import { Background } from "./background.ts";
import { Calendar, DAY_SECONDS, FIRST_WEEKDAY, type Weekday } from "./calendar.ts";
import { BLOCK_SECONDS, EventWriter } from "./event-block.ts";
import { Names } from "./names.ts";
import { foundOrganisation, type Organisation } from "./organisation.ts";
import { MINUTES_OF_DAY, rowsByMinute } from "./rhythm.ts";
import { ROW_BYTES_MAX, RowWriter } from "./row-writer.ts";
import { planScenario, type ScenarioName } from "./scenarios/index.ts";
import type { InjectedRow } from "./scenarios/injection.ts";
import type { StreamSize } from "./stream-size.ts";

const CHUNK_BYTES = 1 << 20;

export type StreamOptions = {
  readonly size: StreamSize;
  readonly seed: number;
  readonly scenarios?: readonly ScenarioName[];
  /** Weekday of the first day; default LANL's. */
  readonly firstWeekday?: Weekday;
};

/** A login that a scenario made, as a label file names it. */
export type InjectedLabel = {
  readonly second: number;
  readonly user: string;
  readonly sourceHost: string;
  readonly targetHost: string;
  readonly scenario: ScenarioName;
};

/**
 * A generated stream of LANL's auth.txt: the background of an organisation's everyday logins, and scenarios injected into it.
 *
 * Everything follows from the seed. The background has random numbers of its own, and so has each scenario: adding one adds its
 * rows and changes no other.
 */
export class LoginStream {
  readonly organisation: Organisation;
  readonly accounts: Accounts;
  readonly names: Names;
  /** Logins of the scenarios in the order of time; attacks and look-alikes. */
  readonly labels: readonly InjectedLabel[];
  readonly #size: StreamSize;
  readonly #calendar: Calendar;
  readonly #seed: number;
  readonly #injected: readonly InjectedRow[];
  readonly #seenAccounts: Uint8Array;
  readonly #seenHosts: Uint8Array;
  #isStarted = false;
  #rows = 0;
  #injectedRows = 0;

  constructor({ size, seed, scenarios = [], firstWeekday = FIRST_WEEKDAY }: StreamOptions) {
    this.#size = size;
    this.#seed = seed;
    this.organisation = foundOrganisation(size, new Random(seed, "organisation"));
    this.accounts = new Accounts(size);
    this.names = new Names(this.accounts, new Random(seed, "names"));
    this.#calendar = new Calendar(this.organisation, seed, firstWeekday);
    this.#seenAccounts = new Uint8Array(this.accounts.count);
    this.#seenHosts = new Uint8Array(this.accounts.hosts + 1);
    const injected: InjectedRow[] = [];
    const labels: InjectedLabel[] = [];
    const names = this.names;
    for (const scenario of new Set(scenarios)) {
      const rows = planScenario(scenario, this.organisation, this.accounts, this.#calendar, seed);
      for (const row of rows) {
        injected.push(row);
        if (!row.isLogin) continue;
        labels.push({
          second: row.second,
          user: names.account(row.targetUser),
          sourceHost: names.host(row.source),
          targetHost: names.host(row.target),
          scenario,
        });
      }
    }
    // Sorting is stable: rows of one second stay in the order of their scenario.
    this.#injected = injected.sort((a, b) => a.second - b.second);
    this.labels = labels.sort((a, b) => a.second - b.second);
  }

  /** Rows so far, injected ones included. */
  get rows(): number {
    return this.#rows;
  }

  get injectedRows(): number {
    return this.#injectedRows;
  }

  /** Accounts and hosts named in what was written so far. */
  get seen(): { readonly accounts: number; readonly hosts: number } {
    const count = (seen: Uint8Array) => seen.reduce((sum, one) => sum + one, 0);
    return {
      accounts: count(this.#seenAccounts),
      hosts: count(this.#seenHosts.subarray(0, this.accounts.hosts)),
    };
  }

  /**
   * The stream's bytes, whole lines, about a megabyte at a time; may be read once. A chunk is overwritten when the next but
   * one is asked for.
   */
  *chunks(): Generator<Buffer, void, undefined> {
    assert.ok(!this.#isStarted, "the network changes while it is written: a stream is read once");
    this.#isStarted = true;
    const { logins, days } = this.#size;
    const plan = rowsByMinute(this.#size, this.#calendar, new Random(this.#seed, "rhythm"));
    const events = new EventWriter(days * DAY_SECONDS);
    const background = new Background(
      this.organisation,
      this.accounts,
      this.#calendar,
      events,
      this.#seed,
      this.names.ticketTarget,
    );
    const capacity = CHUNK_BYTES + ROW_BYTES_MAX;
    let output = new RowWriter(this.names, capacity);
    let other = new RowWriter(this.names, capacity);
    let left = logins;
    let nextInjected = 0;
    for (let minute = 0; minute < plan.length; minute++) {
      if (minute % MINUTES_OF_DAY === 0) {
        const before = minute === 0 ? 0 : plan[minute - 1];
        background.beginDay(minute / MINUTES_OF_DAY, plan[minute + MINUTES_OF_DAY - 1] - before);
      }
      const start = minute * BLOCK_SECONDS;
      background.minute(start, plan[minute]);
      const block = events.current;
      const benign = Math.min(left, block.count);
      left -= benign;
      const injectedFrom = nextInjected;
      while (
        nextInjected < this.#injected.length &&
        this.#injected[nextInjected].second < start + BLOCK_SECONDS
      ) {
        nextInjected++;
      }
      const order = block.ordered();
      let injected = injectedFrom;
      for (let i = 0; i <= benign; i++) {
        // LANL's clock begins at 1.
        const second = i < benign ? Math.max(1, start + block.second[order[i]]) : Number.POSITIVE_INFINITY;
        for (; injected < nextInjected && this.#injected[injected].second < second; injected++) {
          const row = this.#injected[injected];
          this.#write(output, row.second, row.user, row.targetUser, row.source, row.target, row.kind);
          this.#injectedRows++;
          if (output.length < CHUNK_BYTES) continue;
          yield output.written();
          [output, other] = [other, output];
          output.clear();
        }
        if (i === benign) break;
        const at = order[i];
        this.#write(
          output,
          second,
          block.account[at],
          block.targetAccount[at],
          block.source[at],
          block.target[at],
          block.kind[at],
        );
        if (output.length < CHUNK_BYTES) continue;
        yield output.written();
        [output, other] = [other, output];
        output.clear();
      }
      events.advance();
    }
    assert.equal(
      this.#rows - this.#injectedRows,
      logins,
      "the background has as many rows as were asked for",
    );
    if (output.length > 0) yield output.written();
  }

  #write(
    output: RowWriter,
    second: number,
    account: number,
    targetAccount: number,
    source: number,
    target: number,
    kind: number,
  ): void {
    this.#rows++;
    this.#seenAccounts[account] = 1;
    this.#seenAccounts[targetAccount] = 1;
    this.#seenHosts[source] = 1;
    this.#seenHosts[target] = 1;
    output.write(second, account, targetAccount, source, target, kind);
  }
}
