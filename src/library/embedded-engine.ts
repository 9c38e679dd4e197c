import type { ClosingFinding, DetectionFinding } from "../alerts/detection-finding.ts";
import { OddlinkError } from "../errors.ts";
import type { Outcome } from "../ingest/login.ts";
import type { Commit } from "../log/port.ts";
import { HandedLog } from "./handed-log.ts";
import { bytesOf, type RecordInput } from "./login-input.ts";
import {
  type EngineOptions,
  type EngineStatus,
  type Probed,
  type ProbeInput,
  type RunningEngine,
  start,
} from "./running-engine.ts";
import { configOf } from "./settings.ts";

/** A scored login, as `--scored` writes it. */
export type ScoredLogin = {
  /** The record's own event id, or `name/input/offset`. */
  readonly uid: string;
  /** Event time, milliseconds since 1970. */
  readonly timeMs: number;
  readonly user: string;
  readonly targetUser: string;
  readonly sourceHost: string;
  readonly targetHost: string;
  /** Tail probability in (0, 1], low is odd. */
  readonly score: number;
  /** Tail probabilities too; `link` is missing before the first epoch. */
  readonly signals: {
    readonly presence: number;
    readonly surprise: number;
    readonly link?: number;
    readonly volume: number;
  };
  readonly outcome: Outcome;
  readonly authType: string;
  readonly logonType: string;
  /** Number of the trained model that took part; null before the first. */
  readonly epoch: number | null;
  /** The incident that it belongs to, if it does. */
  readonly incidentUid?: string;
};

/** A record that could not be read or scored. */
export type RejectedRecord = {
  /** Which record of the input it is, from 0. */
  readonly offset: number;
  readonly reason: string;
  readonly detail: string;
  readonly bytes: Uint8Array;
};

/** A promise that is given back is waited for. */
export type Handler<T> = (what: T) => unknown;

export type OpenOptions = EngineOptions & {
  /**
   * SQLite file that keeps state, alerts and how many records were taken, so that a later engine, or a `run --store` with the same settings, goes on from
   * there. One process at a time. Without it nothing is kept.
   */
  readonly store?: string | undefined;
  /** What the input is called in alerts, and among the inputs of the store; `logins` if left out. */
  readonly name?: string | undefined;
  /** An odd login: the first of an incident, or a further one that tells something new. */
  readonly onAlert?: Handler<DetectionFinding> | undefined;
  /** What would have been an alert, but for one of `settings.suppressions`. */
  readonly onSuppressed?: Handler<DetectionFinding> | undefined;
  /** An incident that has had no alert for a day of event time. */
  readonly onClosed?: Handler<ClosingFinding> | undefined;
  /** Every login. */
  readonly onScored?: Handler<ScoredLogin> | undefined;
  readonly onRejected?: Handler<RejectedRecord> | undefined;
};

/**
 * Opens an engine in this process: it is handed logins, scores each before it is learnt, and tells what is odd.
 *
 * What comes of a record is told just before it is committed, in input order for each handler, and the commit waits for handlers. So nothing is lost: after a
 * crash, or a handler that threw, what was not committed comes again, with the same uids, once the records are handed over again to an engine on the
 * same store. Training runs in a thread; by default `add` waits for it at fixed event times (`settings.training.mode`).
 *
 * @returns once the state of the store is read
 * @throws {OddlinkError} CONFIG_INVALID; STORE_UNREADABLE, STORE_BUSY, STORE_MISMATCH
 *
 * @example
 * ```ts
 * import { openEngine } from "oddlink";
 *
 * const engine = await openEngine({
 *   settings: { alertsPerDay: 10 },
 *   onAlert: ({ message, finding_info }) => console.log(message, finding_info.uid),
 *   onRejected: ({ offset, detail }) => console.warn(`record ${offset}: ${detail}`),
 * });
 * await engine.add([{ timeMs: Date.now(), user: "ann", sourceHost: "pc-ann", targetHost: "files", authType: "Kerberos" }]);
 * const probed = engine.probe({ user: "ann", sourceHost: "pc-bob", targetHost: "payroll", authType: "NTLM" });
 * if (probed.kind === "scored") console.log(probed.score, probed.reasons.map(({ text }) => text));
 * await engine.close();
 * ```
 */
export async function openEngine(options: OpenOptions = {}): Promise<EmbeddedEngine> {
  const config = configOf(options.settings, options.onScored !== undefined);
  const log = await HandedLog.open({
    config,
    store: options.store,
    name: options.name ?? "logins",
    deliver: (commit) => deliver(commit, options),
  });
  try {
    return new EmbeddedEngine(await start(log, config, options.onTrouble), log);
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function deliver({ alerts, scoredLogins, deadLetters }: Commit, options: OpenOptions): Promise<void> {
  const { onAlert, onSuppressed, onClosed, onScored, onRejected } = options;
  for (const { offset, reason, detail, bytes } of deadLetters)
    await onRejected?.({ offset, reason, detail, bytes });
  for (const { line } of scoredLogins) await onScored?.(JSON.parse(line) as ScoredLogin);
  for (const { finding, isClosing, suppressedBy } of alerts) {
    const what: unknown = JSON.parse(finding);
    if (isClosing) await onClosed?.(what as ClosingFinding);
    else if (suppressedBy === undefined) await onAlert?.(what as DetectionFinding);
    else await onSuppressed?.(what as DetectionFinding);
  }
}

/** An engine in this process; `openEngine` opens one. */
export class EmbeddedEngine implements AsyncDisposable {
  readonly #running: RunningEngine;
  readonly #log: HandedLog;
  /** What it ended with, if that is a failure. */
  #failure: { readonly error: unknown; isTold: boolean } | undefined;
  /** Resolves once it has ended, however it did, and the store is closed. */
  readonly #closed: Promise<void>;

  constructor(running: RunningEngine, log: HandedLog) {
    this.#running = running;
    this.#log = log;
    this.#closed = running.ended
      .catch((error: unknown) => {
        this.#failure = { error, isTold: false };
        log.queue.end();
      })
      .then(() => log.close());
    // Told by `close`, which not everybody calls after a failure.
    this.#closed.catch(() => {});
  }

  /**
   * Scores and learns records in their order. They may come as slowly as they like; of a source that is faster than the engine 4,096 are waiting at
   * most. Several calls at a time are possible, and take turns. A record that can't be read is no error: see `onRejected`. The bytes of a
   * record must stay as they are until it is committed.
   *
   * @returns once all of them are committed: within 100 ms of being scored, at once after the last one
   * @throws {OddlinkError} STOPPED if the engine is closed before; what the store, a training or a handler has thrown, after which the engine is closed;
   *   what `records` has thrown, after which it goes on
   *
   * @example
   * ```ts
   * import { openEngine } from "oddlink";
   *
   * const engine = await openEngine({ settings: { input: { format: "lanl" } } });
   * await engine.add(["1,U1@DOM1,U1@DOM1,C1,C2,NTLM,Network,LogOn,Success", "no login"]);
   * console.log(engine.status().scored, engine.status().rejected); // 1 1
   * await engine.close();
   * ```
   */
  async add(records: Iterable<RecordInput> | AsyncIterable<RecordInput>): Promise<void> {
    if (typeof records === "string" || records instanceof Uint8Array)
      throw new OddlinkError("USAGE", "add takes an iterable of records: put a single one into an array");
    try {
      // A source that has nothing to give at present does not hold up the news of an end.
      await Promise.race([this.#handOver(records), this.#untilEnded()]);
    } catch (error) {
      const failure = this.#failure;
      if (failure?.error === error) failure!.isTold = true;
      throw error;
    }
  }

  async #handOver(records: Iterable<RecordInput> | AsyncIterable<RecordInput>): Promise<void> {
    const { queue } = this.#log;
    let last: number | undefined;
    for await (const record of records) {
      await queue.room();
      if (queue.isEnded) return this.#untilEnded();
      last = queue.push(bytesOf(record));
    }
    if (last !== undefined) await this.#log.untilCommitted(last);
  }

  async #untilEnded(): Promise<never> {
    await this.#running.ended;
    throw new OddlinkError("STOPPED", "the engine was closed before all records were taken");
  }

  /**
   * What a login would be scored as if it came now, and why: presence and the other signals, reasons in words, what is usual, the nearest normal login.
   * Nothing is learnt from it and no alert is raised. About a millisecond; only what is committed or being scored is known.
   *
   * @returns `rejected` for what is no login, such as one without a host
   *
   * @example
   * ```ts
   * import { openEngine } from "oddlink";
   *
   * const engine = await openEngine();
   * const probed = engine.probe({ user: "ann", sourceHost: "pc-bob", targetHost: "payroll" });
   * console.log(probed.kind === "scored" ? probed.score : probed.detail); // 1
   * await engine.close();
   * ```
   */
  probe(login: ProbeInput): Probed {
    return this.#running.probe(login);
  }

  /** What it has done so far; what waits for its commit counts too. */
  status(): EngineStatus {
    return this.#running.status();
  }

  /** Records of this input that are committed, those of earlier engines on the store included: where a source goes on after a crash. */
  get committed(): number {
    return this.#log.committed;
  }

  /**
   * Scores and commits what was handed over, ends calls of `add` whose source has more, and closes the store. Idempotent.
   *
   * @throws what the engine ended with, unless `add` has thrown it before
   */
  async close(): Promise<void> {
    this.#log.queue.end();
    await this.#closed;
    const failure = this.#failure;
    if (failure === undefined || failure.isTold) return;
    failure.isTold = true;
    throw failure.error;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
