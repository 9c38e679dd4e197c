import type { Buffer } from "node:buffer";
import type { Config } from "../../src/config/schema.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { SOURCE_HOST, STRONG, USER, WEAK } from "../../src/ingest/login-bytes.ts";

const MS_PER_HOUR = 3_600_000;

/** A record that shows an account on a source host: what presence goes by. */
export type Sighting = {
  readonly partition: number;
  readonly offset: number;
  readonly user: string;
  readonly sourceHost: string;
  readonly timeMs: number;
  readonly isStrong: boolean;
  /** Whether presence may have something to say of it: a remote login by a weak protocol. */
  readonly isJudged: boolean;
};

type Bytes = { readonly offset: number; readonly value: Buffer | null };

export function sightings(config: Config, partition: number, records: readonly Bytes[]): Sighting[] {
  const decoder = createDecoder(config.input.format, { lanlStartMs: config.input.lanlStartMs });
  const found: Sighting[] = [];
  for (const { offset, value } of records) {
    const decoded = decoder.decode(value!, 0, value!.length);
    if (decoded.kind !== "login" && decoded.kind !== "evidence") continue;
    const { login } = decoded;
    if (login.isAbsent(USER) || login.isAbsent(SOURCE_HOST)) continue;
    found.push({
      partition,
      offset,
      user: login.text(USER),
      sourceHost: login.text(SOURCE_HOST),
      timeMs: login.timeMs,
      isStrong: login.evidence === STRONG,
      isJudged: decoded.kind === "login" && login.isRemote() && login.evidence === WEAK,
    });
  }
  return found;
}

/** Whether a worker knew a record when it scored a login; `perhaps` where the order was not pinned. */
export type Knew = "yes" | "no" | "perhaps";

/**
 * Whether presence may, and whether it must, raise an alert on a login, given what was known of the account. Each number is
 * bounded by itself, so what is allowed is a little more than what can happen.
 */
export function presenceBounds(
  login: Sighting,
  ofUser: readonly Sighting[],
  knew: (other: Sighting) => Knew,
  { learnHours, learnRecords }: Config["presence"],
): { readonly may: boolean; readonly must: boolean } {
  const least = { count: 0, strong: 0, strongHere: 0, firstMs: Number.POSITIVE_INFINITY };
  const most = { ...least };
  for (const other of ofUser) {
    const known = other === login ? "no" : knew(other);
    if (known === "no") continue;
    for (const bound of known === "yes" ? [least, most] : [most]) {
      bound.count++;
      if (other.isStrong) bound.strong++;
      if (other.isStrong && other.sourceHost === login.sourceHost) bound.strongHere++;
      bound.firstMs = Math.min(bound.firstMs, other.timeMs);
    }
  }
  const isOld = (firstMs: number) => login.timeMs - firstMs >= learnHours * MS_PER_HOUR;
  return {
    may: least.strongHere === 0 && most.strong > 0 && most.count >= learnRecords && isOld(most.firstMs),
    must: most.strongHere === 0 && least.strong > 0 && least.count >= learnRecords && isOld(least.firstMs),
  };
}
