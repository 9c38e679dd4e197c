/**
 * Mutated records of the samples through every format's decoder: none may throw, hang or make memory grow.
 *
 *   npx node test/ingest/fuzzing.ts [records per format, 1000000 by default] [format]
 */
import { Buffer } from "node:buffer";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createDecoder, FORMATS } from "../../src/ingest/formats/index.ts";
import { Random } from "../../src/model/random.ts";
import { FORMAT_OPTIONS, sampleRecords } from "./samples.ts";

/** What breaks parsers, and what keeps JSON whole while it changes what is in it. */
// biome-ignore format: one list
const PIECES = [
  "", "null", "true", "-", "0", "-1", "1e400", "99999999999999999999", '""', "{}", "[]", "[[[[[[[[", '"\\u0000"', '"\\ud800"',
  '"__proto__":1,', "\\", "\n", "\t", " ", '"', "@", "%", "::ffff:", "é", "\u{1f600}", "x".repeat(300), "\\".repeat(50), "a.".repeat(200),
].map((piece) => Buffer.from(piece));

/** A record with one to four changes: a byte, a piece put in, cut out, or in the place of another. */
export function mutated(record: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(record);
  for (let changes = 1 + random.nextInt(4); changes > 0; changes--) {
    const at = random.nextInt(bytes.length + 1);
    const length = random.nextInt(3) === 0 ? random.nextInt(bytes.length - at + 1) : random.nextInt(8);
    const piece =
      random.nextInt(4) === 0 ? Buffer.from([random.nextInt(256)]) : PIECES[random.nextInt(PIECES.length)]!;
    bytes = Buffer.concat([
      bytes.subarray(0, at),
      piece,
      bytes.subarray(Math.min(bytes.length, at + length)),
    ]);
  }
  return bytes;
}

/** In the place of a value: what readers of fields do not expect. */
// biome-ignore format: one list
const VALUES: readonly unknown[] = [
  null, true, 0, -1, 1e308, 1.5, "", "-", "null", "constructor", "\ud800", "x".repeat(300), "a@b@c", "D\\u", "::1", "2026-13-45T99:99:99Z", "1772359200",
  [], [[]], [null], {}, { toString: 1 }, [{ name: "x", value: {} }],
];

/** A record of JSON, still JSON, in which one to three values are others; undefined if it is no object. */
export function restructured(record: Buffer, random: Random): Buffer | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(record.toString());
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  for (let changes = 1 + random.nextInt(3); changes > 0; changes--) {
    const places: (readonly [holder: Record<string, unknown>, key: string])[] = [];
    collectPlaces(parsed as Record<string, unknown>, places);
    if (places.length === 0) break;
    const [holder, key] = places[random.nextInt(places.length)]!;
    const what = random.nextInt(VALUES.length + 2);
    if (what === VALUES.length) delete holder[key];
    // What another field says.
    else if (what > VALUES.length) {
      const [other, name] = places[random.nextInt(places.length)]!;
      holder[key] = structuredClone(other[name]);
    } else holder[key] = structuredClone(VALUES[what]);
  }
  return Buffer.from(JSON.stringify(parsed));
}

function collectPlaces(
  holder: Record<string, unknown>,
  places: (readonly [Record<string, unknown>, string])[],
): void {
  for (const key of Object.keys(holder)) {
    places.push([holder, key]);
    const value = holder[key];
    if (typeof value === "object" && value !== null) collectPlaces(value as Record<string, unknown>, places);
  }
}

export type Fuzzed = {
  readonly records: number;
  readonly slowestMs: number;
  readonly kinds: Readonly<Record<string, number>>;
};

/** Decodes so many mutated records of the samples by one format. @throws what a decoder throws, with the record */
export function fuzz(format: string, count: number, seed: number): Fuzzed {
  const samples = readdirSync(join(import.meta.dirname, "samples"))
    .filter((file) => file.endsWith(".gz"))
    .flatMap((file) => sampleRecords(file.slice(0, -3)));
  const random = new Random(seed, `fuzzing ${format}`);
  const decoder = createDecoder(format, FORMAT_OPTIONS);
  const recognised = samples.filter((record) =>
    FORMATS.some((one) => one.name === format && one.recognises(record, 0, record.length)),
  );
  // Mostly its own records: of others it reads little.
  const pools = recognised.length === 0 ? [samples] : [recognised, recognised, recognised, samples];
  const kinds: Record<string, number> = {};
  let slowestMs = 0;
  for (let i = 0; i < count; i++) {
    const pool = pools[random.nextInt(pools.length)]!;
    const whole = pool[random.nextInt(pool.length)]!;
    // Half of them stay JSON, so that the fields are reached; of the others most do not.
    const record = (random.nextInt(2) === 0 && restructured(whole, random)) || mutated(whole, random);
    const startedMs = performance.now();
    try {
      const { kind } = decoder.decode(record, 0, record.length);
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    } catch (error) {
      throw new Error(`${format} throws at ${JSON.stringify(record.toString("latin1"))}`, { cause: error });
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  }
  return { records: count, slowestMs, kinds };
}

/** Formats whose records are text. */
export const TEXT_FORMATS: readonly string[] = FORMATS.map(({ name }) => name).filter(
  (name) => name !== "avro",
);

if (process.argv[1] === import.meta.filename) {
  const count = Number(process.argv[2] ?? 1_000_000);
  for (const format of process.argv[3] === undefined ? TEXT_FORMATS : [process.argv[3]]) {
    const before = process.memoryUsage.rss();
    const { kinds, slowestMs } = fuzz(format, count, 1);
    const grownMib = Math.round((process.memoryUsage.rss() - before) / 2 ** 20);
    console.log(
      `${format}: ${count} records, ${JSON.stringify(kinds)}, slowest ${slowestMs.toFixed(1)} ms, ${grownMib} MiB more`,
    );
  }
}
