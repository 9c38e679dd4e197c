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
    const record = mutated(pool[random.nextInt(pool.length)]!, random);
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
