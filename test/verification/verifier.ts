import type { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { alertUid } from "../../src/alerts/uid.ts";
import type { Config } from "../../src/config/schema.ts";
import { chooseSegments } from "../../src/graph-state/coverage.ts";
import { digestOf } from "../../src/graph-state/digest.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { decodeSegment, decodeSegmentHeader } from "../../src/graph-state/segment.ts";
import type { ConsumedRecord } from "../../src/log/kafka/client.ts";
import { CLOSES } from "../../src/log/kafka/produced-records.ts";
import { OutputCounts } from "./output-counts.ts";
import { type IsPoison, WantedOutcomes } from "./wanted-outcome.ts";

export type Verdict =
  | "ALL-RECORDS-ACCOUNTED"
  | "RECORD-LOST"
  | "RECORD-DUPLICATED"
  | "ALERT-LOST"
  | "ALERT-DUPLICATED"
  | "ALERT-DIFFERS"
  | "STATE-DIVERGED"
  | "PARTITION-STUCK"
  | "RECOVERY-TOO-SLOW";

/** One bug may have as many findings as there are records: of each verdict so many are told, the rest are counted. */
const FINDINGS_MAX = 20;

export type Finding = { readonly verdict: Verdict; readonly detail: string };

export type VerifierOptions = {
  readonly config: Config;
  readonly partitions: number;
  /** Time at which the input was read, ms: what is more than a day later is from the future. */
  readonly nowMs: number;
  /** Which records bring out a bug, where there is one: they have to be dead letters for that, and no part of the graph. */
  readonly isPoison?: IsPoison | undefined;
};

/**
 * Holds what came out against what went in. The input alone says what must have become of each record: the decoder is
 * asked again, and the graph of all logins is built anew. With a fixed threshold the scored logins say which alerts there
 * must be.
 *
 * It is fed by streams, the outputs first and the input after them, and keeps a few bytes of each record, so that ten
 * million are no matter.
 */
export class Verifier {
  readonly #config: Config;
  readonly #outputs: readonly OutputCounts[];
  readonly #wanted: readonly WantedOutcomes[];
  /** Where the input ends: the offset after its last record. */
  readonly #ends: number[];
  readonly #segments = new Map<string, Buffer>();
  readonly #oracle: Graph;
  readonly #ids = new Int32Array(6);
  readonly #findings: Finding[] = [];
  readonly #counts = new Map<Verdict, number>();
  /** What was counted over the input. */
  readonly #closed = new Set<string>();
  readonly totals = { records: 0, scored: 0, deadLetters: 0, alerts: 0, repeated: 0 };

  constructor({ config, partitions, nowMs, isPoison }: VerifierOptions) {
    this.#config = config;
    this.#outputs = Array.from({ length: partitions }, () => new OutputCounts());
    this.#wanted = Array.from({ length: partitions }, () => new WantedOutcomes(config, nowMs, isPoison));
    this.#ends = Array.from({ length: partitions }, () => 0);
    this.#oracle = new Graph({ links: config.links, window: config.window });
  }

  scored(record: ConsumedRecord): void {
    const { outputs, offset } = this.#originOf(record);
    outputs.addScored(offset);
    const { score } = JSON.parse(record.value!.toString()) as { score: number };
    if (score < this.#config.threshold!) outputs.lowScores.set(offset, score);
  }

  deadLetter(record: ConsumedRecord): void {
    const { outputs, offset } = this.#originOf(record);
    const isBug = String(record.headers["oddlink-error-class"]) === "bug";
    outputs.addDeadLetter(offset, crc32(record.value!), isBug);
  }

  alert(record: ConsumedRecord): void {
    const closes = record.headers[CLOSES]?.toString();
    if (closes !== undefined) {
      // Each incident ends once, whoever had its partition meanwhile.
      if (this.#closed.has(closes)) this.find("ALERT-DUPLICATED", `incident ${closes} is closed twice`);
      this.#closed.add(closes);
      return;
    }
    const { outputs, topic, partition, offset } = this.#originOf(record);
    const { evidences } = JSON.parse(record.value!.toString());
    outputs.addAlert(offset, evidences[0].data.score as number);
    const uid = alertUid({ topic, partition, offset, detector: this.#config.detector });
    const found = String(record.headers["ce_id"]);
    if (found !== uid) this.find("ALERT-DIFFERS", `${partition}/${offset} has an alert with uid ${found}`);
  }

  /** In the order of each partition. */
  graphState({ key, value }: ConsumedRecord): void {
    if (value === null) this.#segments.delete(key!.toString());
    else this.#segments.set(key!.toString(), value);
  }

  /** After all outputs, and in the order of each partition. */
  login(partition: number, { offset, value }: ConsumedRecord): void {
    const outputs = this.#outputs[partition]!;
    const wanted = this.#wanted[partition]!.of(value);
    const origin = `${partition}/${offset}`;
    this.totals.records++;
    this.#ends[partition] = offset + 1;
    const scored = outputs.scored[offset] ?? 0;
    const dead = outputs.deadLetters[offset] ?? 0;
    const isRepeated = wanted.scored === "maybe" && scored === 0;
    this.#expect(origin, "scored login", scored, wanted.scored === "no" || isRepeated ? 0 : 1);
    this.#expect(origin, "dead letter", dead, wanted.isDead ? 1 : 0);
    if (wanted.isDead && dead > 0 && outputs.checksums[offset] !== crc32(value!))
      this.find("RECORD-LOST", `the dead letter of ${origin} has other bytes`);
    if (wanted.isDead && dead > 0 && (outputs.bugs[offset] === 1) !== wanted.isPoison)
      this.find("RECORD-LOST", `the dead letter of ${origin} is there for another reason`);
    this.#expectAlert(origin, outputs, offset, scored > 0);
    if (scored > 0) this.totals.scored++;
    if (dead > 0) this.totals.deadLetters++;
    if (isRepeated) this.totals.repeated++;
    // What is left in the end belongs to no record.
    for (const column of [outputs.scored, outputs.deadLetters, outputs.alerts])
      if (offset < column.length) column[offset] = 0;
    const { login } = wanted;
    if (login === undefined || isRepeated) return;
    this.#oracle.advance(login.timeMs);
    this.#oracle.names.find(login, this.#ids);
    this.#oracle.apply(login, this.#ids);
  }

  find(verdict: Verdict, detail: string): void {
    const count = (this.#counts.get(verdict) ?? 0) + 1;
    this.#counts.set(verdict, count);
    if (count <= FINDINGS_MAX) this.#findings.push({ verdict, detail });
  }

  /** After all logins: the digest of the graph that a worker held which had read everything. */
  workerDigest(digest: string): void {
    const wanted = digestOf(this.#oracle);
    if (digest !== wanted)
      this.find("STATE-DIVERGED", `a worker holds a graph with digest ${digest}, all logins have ${wanted}`);
  }

  /** @param committed where the group is in each partition */
  finish(committed: readonly (number | undefined)[]): Finding[] {
    for (const [partition, end] of this.#ends.entries()) {
      if (end > 0 && committed[partition] !== end)
        this.find("PARTITION-STUCK", `partition ${partition} is at ${committed[partition]} of ${end}`);
    }
    for (const [partition, { scored, deadLetters, alerts }] of this.#outputs.entries()) {
      for (const [what, column] of Object.entries({ scored, deadLetters, alerts })) {
        const offset = column.findIndex((count) => count > 0);
        if (offset >= 0) this.find("RECORD-DUPLICATED", `${what}: ${partition}/${offset} is no record`);
      }
    }
    const restored = restore(this.#config, this.#segments);
    const digest = digestOf(this.#oracle);
    if (restored.gap !== undefined) this.find("STATE-DIVERGED", `there is a gap: ${restored.gap}`);
    else if (restored.digest !== digest)
      this.find(
        "STATE-DIVERGED",
        `the stored graph has digest ${restored.digest}, all logins together ${digest}`,
      );
    for (const [verdict, count] of this.#counts) {
      if (count > FINDINGS_MAX)
        this.#findings.push({ verdict, detail: `and ${count - FINDINGS_MAX} more like it` });
    }
    return this.#findings.length > 0
      ? this.#findings
      : [
          {
            verdict: "ALL-RECORDS-ACCOUNTED",
            detail: `${this.totals.alerts} alerts, digest ${digest}`,
          },
        ];
  }

  #expect(origin: string, what: string, count: number, wanted: number): void {
    if (count < wanted) this.find("RECORD-LOST", `${origin} has no ${what}`);
    if (count > wanted)
      this.find("RECORD-DUPLICATED", `${origin} has ${count} times a ${what}, wanted ${wanted}`);
  }

  #expectAlert(origin: string, outputs: OutputCounts, offset: number, isScored: boolean): void {
    const alerts = outputs.alerts[offset] ?? 0;
    const score = outputs.lowScores.get(offset);
    this.totals.alerts += alerts;
    if (alerts > 0 && !isScored) this.find("ALERT-DIFFERS", `${origin} has an alert and no score`);
    else if (alerts > 0 && score === undefined)
      this.find("ALERT-DIFFERS", `${origin} has an alert, and its score is not below the threshold`);
    else if (alerts === 0 && score !== undefined)
      this.find("ALERT-LOST", `${origin} with score ${score} has no alert`);
    else if (alerts > 0 && outputs.alertScores.get(offset) !== score)
      this.find(
        "ALERT-DIFFERS",
        `${origin} has score ${score}, its alert ${outputs.alertScores.get(offset)}`,
      );
    if (alerts > 1) this.find("ALERT-DUPLICATED", `${origin} has ${alerts} alerts`);
  }

  #originOf({ headers }: ConsumedRecord) {
    const partition = Number(headers["oddlink-source-partition"]);
    const outputs = this.#outputs[partition];
    if (outputs === undefined) throw new Error(`an output names partition ${partition} as its source`);
    const offset = Number(headers["oddlink-source-offset"]);
    return { outputs, topic: String(headers["oddlink-source-topic"]), partition, offset };
  }
}

/** What a read-committed reader finds in the topics in the end. */
export type Outcome = {
  readonly config: Config;
  /** The input by partition. */
  readonly logins: readonly (readonly ConsumedRecord[])[];
  /** Where the group is in each partition. */
  readonly committed: readonly (number | undefined)[];
  readonly alerts: readonly ConsumedRecord[];
  readonly scored: readonly ConsumedRecord[];
  readonly deadLetters: readonly ConsumedRecord[];
  readonly graphState: readonly ConsumedRecord[];
  readonly isPoison?: IsPoison;
};

/** Verifies what is small enough to be held in memory. */
export function verify(outcome: Outcome): Finding[] {
  const { config, logins, isPoison } = outcome;
  const verifier = new Verifier({ config, partitions: logins.length, nowMs: Date.now(), isPoison });
  for (const record of outcome.scored) verifier.scored(record);
  for (const record of outcome.deadLetters) verifier.deadLetter(record);
  for (const record of outcome.alerts) verifier.alert(record);
  for (const record of outcome.graphState) verifier.graphState(record);
  for (const [partition, records] of logins.entries())
    for (const record of records) verifier.login(partition, record);
  return verifier.finish(outcome.committed);
}

/** Digest of the graph that the newest segments stand for, and where one is missing. */
export function restore(
  config: Config,
  segments: ReadonlyMap<string, Buffer>,
): { readonly digest: string; readonly gap: string | undefined } {
  const stored = Array.from(segments, ([key, bytes]) => ({ key, bytes, header: decodeSegmentHeader(bytes) }));
  const { chosen, gap } = chooseSegments(stored);
  const graph = new Graph({ links: config.links, window: config.window });
  for (const { bytes } of chosen) graph.addPart(decodeSegment(bytes));
  return { digest: digestOf(graph), gap };
}
