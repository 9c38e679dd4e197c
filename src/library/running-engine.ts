import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Config } from "../config/schema.ts";
import { Engine } from "../engine/engine.ts";
import { PartitionMerging } from "../engine/partition-merging.ts";
import type { Probe } from "../engine/scoring.ts";
import { WholeMerging } from "../engine/segment-merging.ts";
import { sumOf } from "../engine/totals.ts";
import { trainEpoch } from "../engine/training/train-epoch.ts";
import type { RejectReason } from "../ingest/decoded.ts";
import { OddlinkDecoder } from "../ingest/formats/oddlink.ts";
import { SchemaRegistry } from "../ingest/schema-registry.ts";
import type { Log } from "../log/port.ts";
import { decodeInThread } from "../model/epoch-thread.ts";
import { REAL_TIME } from "../time.ts";
import { bytesOf, type LoginInput } from "./login-input.ts";
import { tablesOf } from "./resolution.ts";
import { configOf, type Settings } from "./settings.ts";

/** A login that did not happen. Without `timeMs` it comes now, by event time: with the newest login that was added. */
export type ProbeInput = Omit<LoginInput, "timeMs" | "activity" | "uid"> & { readonly timeMs?: number };

/** What a login would be scored as, or why it can't be. */
export type Probed =
  | ({ readonly kind: "scored" } & Probe)
  | { readonly kind: "rejected"; readonly reason: RejectReason; readonly detail: string };

/** What an engine has done since its state began, earlier runs on the same log included; the counts are those of `oddlink run --json`. */
export type EngineStatus = {
  /** Records; the sum of the next five. */
  readonly consumed: number;
  readonly scored: number;
  readonly evidence: number;
  readonly ignored: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly alerts: number;
  /** Alerts that a rule suppressed, which are not among them. */
  readonly suppressed: number;
  readonly incidents: number;
  /** Users and hosts, and links between them, that the graph knows now. */
  readonly entities: number;
  readonly links: number;
  /** The latest event time accepted, milliseconds since 1970; undefined before the first login. */
  readonly watermarkMs: number | undefined;
  /** Scores below it alert; undefined while the alert budget learns. */
  readonly threshold: number | undefined;
  /** Number of the trained model in force; undefined before the first. */
  readonly epoch: number | undefined;
};

/** What every engine can be told. */
export type EngineOptions = {
  readonly settings?: Settings | undefined;
  /**
   * Told in words what goes wrong and does not end the engine: a training that failed, a record that brings out a bug. A warning of the
   * process (`process.emitWarning`) if left out.
   */
  readonly onTrouble?: ((message: string) => void) | undefined;
};

export type StartOptions = EngineOptions & {
  /** Commits hold every scored login too, as a line of JSON. */
  readonly scoredLogins?: boolean | undefined;
};

/** An engine at work on a log. */
export class RunningEngine {
  readonly #engine: Engine;
  readonly #stopping: AbortController;
  readonly #decoder = new OddlinkDecoder();
  /**
   * Resolves once the input has ended, or the engine was stopped, and all is committed.
   *
   * @throws {OddlinkError} rejects with what the engine ended with, or with what the log has thrown; a process that never looks at it ends then
   */
  readonly ended: Promise<void>;

  constructor(engine: Engine, stopping: AbortController, ended: Promise<void>) {
    this.#engine = engine;
    this.#stopping = stopping;
    // Another promise than the one that was looked at while the state was read: Node tells of errors that nobody looks at.
    this.ended = ended.then(() => {});
  }

  /** What a login would be scored as if it came now, and why; about a millisecond. Nothing is learnt from it, and no alert is raised. */
  probe(login: ProbeInput): Probed {
    const { watermarkMs } = this.#engine.graph.window;
    const timeMs = login.timeMs ?? Math.max(0, watermarkMs);
    const bytes = bytesOf({ ...login, timeMs, activity: "login" });
    const decoded = this.#decoder.decode(bytes, 0, bytes.length);
    if (decoded.kind === "login") return { kind: "scored", ...this.#engine.probe(decoded.login) };
    assert(decoded.kind === "rejected", `a login is ${decoded.kind}`);
    return { ...decoded };
  }

  status(): EngineStatus {
    const { totals, graph, threshold, epoch } = this.#engine;
    const { consumed, scored, evidence, duplicate, alerts, suppressed, incidents } = totals;
    const { watermarkMs } = graph.window;
    return {
      consumed,
      scored,
      evidence,
      ignored: sumOf(totals.ignored),
      rejected: sumOf(totals.rejected),
      duplicate,
      alerts,
      suppressed,
      incidents,
      entities: graph.entityCount,
      links: graph.linkCount,
      watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : undefined,
      threshold: threshold > 0 ? threshold : undefined,
      epoch: epoch?.manifest.number,
    };
  }

  /** Commits what was read, and ends. The log is the caller's to close. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.ended;
  }
}

/**
 * Starts an engine on a log of one's own: whatever gives records, and keeps alerts and state with the position in one commit. What comes of the
 * records is what the log is given to commit. `docs/library.md` says what a log has to do.
 *
 * @returns once the state that the log holds is read; the engine goes on by itself, and `ended` tells how it ends
 * @throws {OddlinkError} CONFIG_INVALID; STATE_INCOMPLETE, SEGMENT_CORRUPT if the log's state can't be read
 *
 * @example
 * ```ts
 * import { startEngine } from "oddlink";
 * import { MemoryLog } from "./memory-log.ts";
 *
 * const log = new MemoryLog([Buffer.from("1,U1@DOM1,U1@DOM1,C1,C2,NTLM,Network,LogOn,Success")]);
 * const engine = await startEngine(log, { settings: { training: { mode: "off" } } });
 * await engine.ended;
 * console.log(engine.status().scored); // 1
 * ```
 */
export async function startEngine(log: Log, options: StartOptions = {}): Promise<RunningEngine> {
  return start(log, configOf(options.settings, options.scoredLogins), options.onTrouble);
}

export async function start(
  log: Log,
  configured: Config,
  onTrouble: (message: string) => void = warn,
): Promise<RunningEngine> {
  const { training } = configured;
  // Who waits for a training in a group of processes is thought dead by the others.
  const mode = log.isShared && training.mode === "replay" ? "live" : training.mode;
  const config = { ...configured, training: { ...training, mode } };
  const stopping = new AbortController();
  const restored = Promise.withResolvers<void>();
  const engine = new Engine({
    config,
    log,
    time: REAL_TIME,
    merging: (state) =>
      log.isShared
        ? new PartitionMerging({
            state,
            log,
            config,
            breathe: () => REAL_TIME.sleep(0),
            newId: randomUUID,
            onFailed: (error) =>
              onTrouble(`segments could not be merged, which is tried again: ${error.message}`),
          })
        : new WholeMerging(state),
    train: (graph, trainingConfig, number, trainedAtMs, signal, previous) =>
      trainEpoch(graph, trainingConfig, number, trainedAtMs, {
        previous,
        signal,
        checkpoint: config.training.checkpoint,
        onNote: onTrouble,
      }),
    decodeLive: decodeInThread,
    schemas: config.input.registry && new SchemaRegistry(config.input.registry),
    wrapDecoder: await tablesOf(config),
    signal: stopping.signal,
    onTrouble,
    onEpochFailed: (error) => onTrouble(`going on with the model before: ${error.message}`),
    onRestored: () => restored.resolve(),
  });
  const ended = engine.run();
  await Promise.race([restored.promise, ended]);
  return new RunningEngine(engine, stopping, ended);
}

function warn(message: string): void {
  process.emitWarning(message, "OddlinkWarning");
}
