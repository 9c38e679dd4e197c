import type { Buffer } from "node:buffer";
import type { Config } from "../../src/config/schema.ts";
import { chooseSegments } from "../../src/graph-state/coverage.ts";
import { digestOf } from "../../src/graph-state/digest.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { decodeSegment, decodeSegmentHeader } from "../../src/graph-state/segment.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import type { LoginBytes } from "../../src/ingest/login-bytes.ts";
import type { ConsumedRecord } from "../../src/log/kafka/client.ts";

export type Verdict =
  | "ALL-RECORDS-ACCOUNTED"
  | "RECORD-LOST"
  | "RECORD-DUPLICATED"
  | "ALERT-LOST"
  | "ALERT-DUPLICATED"
  | "ALERT-DIFFERS"
  | "STATE-DIVERGED"
  | "PARTITION-STUCK";

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
  /** Which records bring out a bug, where there is one: they have to be dead letters for that, and no part of the graph. */
  readonly isPoison?: (login: LoginBytes, kind: "login" | "evidence") => boolean;
};

export type Finding = { readonly verdict: Verdict; readonly detail: string };

/**
 * Holds what came out against what went in. The input alone says what must have become of each record: the decoder is
 * asked again, and the graph of all logins is built anew.
 *
 * With a fixed threshold the scored logins say which alerts there must be.
 */
export function verify(outcome: Outcome): Finding[] {
  const findings: Finding[] = [];
  const find = (verdict: Verdict, detail: string): void => void findings.push({ verdict, detail });
  const { config, logins } = outcome;
  const scored = byOrigin(outcome.scored);
  const deadLetters = byOrigin(outcome.deadLetters);
  const alerts = byOrigin(outcome.alerts);
  const oracle = new Graph({ links: config.links, window: config.window });
  const ids = new Int32Array(6);

  for (const [partition, records] of logins.entries()) {
    const decoder = createDecoder(config.input.format, { lanlStartMs: config.input.lanlStartMs });
    const end = (records.at(-1)?.offset ?? -1) + 1;
    if (end > 0 && outcome.committed[partition] !== end)
      find("PARTITION-STUCK", `partition ${partition} is at ${outcome.committed[partition]} of ${end}`);
    for (const { offset, value } of records) {
      const origin = `${partition}/${offset}`;
      const decoded = decoder.decode(value!, 0, value!.length);
      const isPoison =
        (decoded.kind === "login" || decoded.kind === "evidence") &&
        outcome.isPoison?.(decoded.login, decoded.kind) === true;
      const wanted = {
        scored: decoded.kind === "login" && !isPoison ? 1 : 0,
        dead: decoded.kind === "rejected" || isPoison ? 1 : 0,
      };
      expectCount(origin, "scored login", scored.get(origin)?.length ?? 0, wanted.scored, find);
      expectCount(origin, "dead letter", deadLetters.get(origin)?.length ?? 0, wanted.dead, find);
      if (wanted.dead === 1 && deadLetters.get(origin)?.some((letter) => !letter.value!.equals(value!)))
        find("RECORD-LOST", `the dead letter of ${origin} has other bytes`);
      for (const { headers } of deadLetters.get(origin) ?? []) {
        const errorClass = isPoison ? "bug" : "data";
        if (String(headers["oddlink-error-class"]) !== errorClass)
          find("RECORD-LOST", `the dead letter of ${origin} is not said to be there for ${errorClass}`);
      }
      if ((decoded.kind !== "login" && decoded.kind !== "evidence") || isPoison) continue;
      oracle.advance(decoded.login.timeMs);
      oracle.resolve(decoded.login, ids);
      oracle.apply(decoded.login, ids);
    }
  }

  for (const [origin, [record]] of scored) {
    const { score } = JSON.parse(record!.value!.toString()) as { score: number };
    const raised = alerts.get(origin) ?? [];
    if (score >= config.threshold!) {
      if (raised.length > 0) find("ALERT-DIFFERS", `${origin} has an alert with score ${score}`);
      continue;
    }
    if (raised.length === 0) find("ALERT-LOST", `${origin} with score ${score} has no alert`);
    if (raised.length > 1) find("ALERT-DUPLICATED", `${origin} has ${raised.length} alerts`);
    for (const alert of raised) {
      const finding = JSON.parse(alert.value!.toString());
      const held = finding.evidences[0].data.score as number;
      if (held !== score) find("ALERT-DIFFERS", `${origin} has score ${score}, its alert ${held}`);
    }
  }
  const uids = outcome.alerts.map(({ headers }) => String(headers["ce_id"]));
  if (new Set(uids).size !== uids.length) find("ALERT-DUPLICATED", "two alerts have the same uid");
  for (const origin of alerts.keys())
    if (!scored.has(origin)) find("ALERT-DIFFERS", `${origin} has an alert and no score`);

  const restored = restore(outcome);
  const wanted = digestOf(oracle);
  if (restored.gap !== undefined) find("STATE-DIVERGED", `there is a gap: ${restored.gap}`);
  else if (restored.digest !== wanted)
    find("STATE-DIVERGED", `the stored graph has digest ${restored.digest}, all logins together ${wanted}`);
  if (findings.length === 0) find("ALL-RECORDS-ACCOUNTED", `${uids.length} alerts, digest ${wanted}`);
  return findings;
}

/** Digest of the graph of all logins, for what holds it in memory. */
export function restore({ config, graphState }: Pick<Outcome, "config" | "graphState">): {
  readonly digest: string;
  readonly gap: string | undefined;
} {
  const newest = new Map<string, Buffer>();
  for (const { key, value } of graphState) {
    if (value === null) newest.delete(key!.toString());
    else newest.set(key!.toString(), value);
  }
  const stored = Array.from(newest, ([key, bytes]) => ({ key, bytes, header: decodeSegmentHeader(bytes) }));
  const { chosen, gap } = chooseSegments(stored);
  const graph = new Graph({ links: config.links, window: config.window });
  for (const { bytes } of chosen) graph.addPart(decodeSegment(bytes));
  return { digest: digestOf(graph), gap };
}

function byOrigin(records: readonly ConsumedRecord[]): Map<string, ConsumedRecord[]> {
  const found = new Map<string, ConsumedRecord[]>();
  for (const record of records) {
    const { headers } = record;
    const origin = `${headers["oddlink-source-partition"]}/${headers["oddlink-source-offset"]}`;
    const others = found.get(origin);
    if (others === undefined) found.set(origin, [record]);
    else others.push(record);
  }
  return found;
}

function expectCount(
  origin: string,
  what: string,
  count: number,
  wanted: number,
  find: (verdict: Verdict, detail: string) => void,
): void {
  if (count < wanted) find("RECORD-LOST", `${origin} has no ${what}`);
  if (count > wanted) find("RECORD-DUPLICATED", `${origin} has ${count} times a ${what}, wanted ${wanted}`);
}
