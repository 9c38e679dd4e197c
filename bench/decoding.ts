/**
 * Claim: reading oddlink's own JSON costs no more than JSON.parse of it alone, and Avro half of that.
 *
 *   npx node bench/decoding.ts [--rounds 9] [--seconds 0.3] [--format NAME]
 *
 * Each format decodes its sample again and again, one record after the other as the engine does. Its opponents do nothing with
 * what they get: JSON.parse of the same bytes; of Avro and LANL, JSON.parse of the same logins as JSON; of text, the line
 * split at its separator. They take turns. oddlink, avro and lanl read the same generated logins, the others all records of their
 * samples, those that are ignored too; a format that has JSON and text is measured by each.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import avsc from "avsc";
import { LOGIN_SCHEMA } from "../src/ingest/formats/avro-login.ts";
import { createDecoder, FORMATS } from "../src/ingest/formats/index.ts";
import type { Login } from "../src/ingest/login.ts";
import { KnownSchemas, message } from "../test/ingest/avro-messages.ts";
import { FORMAT_OPTIONS, sampleRecords } from "../test/ingest/samples.ts";
import { printTable, type Row } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    seconds: { type: "string", default: "0.3" },
    format: { type: "string" },
  },
});
const ROUNDS = Number(options.rounds);
const ROUND_MS = Number(options.seconds) * 1000;
const LOGINS = 5000;
/** What the issue of canonical input is to reach. */
const GOALS: Readonly<Record<string, number>> = { oddlink: 1, avro: 0.5 };

const logins: Login[] = Array.from({ length: LOGINS }, (_, i) => ({
  timeMs: 1_772_000_000_000 + i * 137,
  user: `U${(i * 7919) % 3000}@DOM1`,
  targetUser: `U${(i * 7919) % 3000}@DOM1`,
  sourceHost: `C${(i * 31) % 4000}`,
  targetHost: `C${(i * 17) % 900}`,
  authType: i % 3 === 0 ? "NTLM" : "Kerberos",
  logonType: "Network",
  outcome: "success",
  evidence: "none",
}));
const canonical = logins.map(({ evidence: _evidence, ...login }) => Buffer.from(JSON.stringify(login)));
const avroType = avsc.Type.forSchema(LOGIN_SCHEMA as Parameters<typeof avsc.Type.forSchema>[0]);
const avro = logins.map((login) => message(1, avroType.toBuffer({ ...login, uid: null, activity: "login" })));
const lanl = logins.map(({ timeMs, user, sourceHost, targetHost, authType }) =>
  Buffer.from(
    `${Math.floor(timeMs / 1000)},${user},${user},${sourceHost},${targetHost},${authType},Network,LogOn,Success`,
  ),
);

/** Somebody who does part of the work on the same records, or on others of the same logins. */
type Opponent = {
  readonly name: string;
  readonly records: readonly Buffer[];
  readonly work: (record: Buffer) => unknown;
};

type Input = {
  readonly name: string;
  readonly format: string;
  readonly records: readonly Buffer[];
  readonly opponents: readonly Opponent[];
};

const OPEN_BRACE = 0x7b;
const SAMPLES = readdirSync(join(import.meta.dirname, "..", "test", "ingest", "samples"))
  .filter((file) => file.endsWith(".gz"))
  .map((file) => sampleRecords(file.slice(0, -3)));

function parsing(records: readonly Buffer[]): Opponent {
  return { name: "JSON.parse", records, work: (record) => JSON.parse(record.toString("utf8")) };
}

function splitting(name: string, separator: string, records: readonly Buffer[]): Opponent {
  return { name: `split at ${name}`, records, work: (record) => record.toString("utf8").split(separator) };
}

/** What a format is measured by: its generated logins, or its samples, JSON and text apart. */
function inputsOf(format: string): readonly Input[] {
  if (format === "oddlink") {
    return [{ name: format, format, records: canonical, opponents: [parsing(canonical)] }];
  }
  if (format === "avro") return [{ name: format, format, records: avro, opponents: [parsing(canonical)] }];
  if (format === "lanl") {
    return [
      {
        name: format,
        format,
        records: lanl,
        opponents: [parsing(canonical), splitting("commas", ",", lanl)],
      },
    ];
  }
  const own = SAMPLES.filter((records) => formatOfSample(records) === format);
  const [json, text] = [true, false].map((isJson) =>
    own.filter((records) => (records[0]![0] === OPEN_BRACE) === isJson).flat(),
  ) as [Buffer[], Buffer[]];
  const isTabbed = text.some((record) => record.includes("\t"));
  const inputs = [
    {
      name: text.length === 0 ? format : `${format} as JSON`,
      format,
      records: json,
      opponents: [parsing(json)],
    },
    {
      name: json.length === 0 ? format : `${format} as text`,
      format,
      records: text,
      opponents: [isTabbed ? splitting("tabs", "\t", text) : splitting("blanks", " ", text)],
    },
  ];
  return inputs.filter(({ records }) => records.length > 0);
}

/** Lines after the head of a file may look like nothing by themselves. */
function formatOfSample(records: readonly Buffer[]): string | undefined {
  for (const record of records) {
    const format = FORMATS.find((one) => one.recognises(record, 0, record.length));
    if (format !== undefined) return format.name;
  }
  return undefined;
}

/** Microseconds a record. */
function timed(records: readonly Buffer[], work: (record: Buffer) => unknown): number {
  const startedMs = performance.now();
  let count = 0;
  while (performance.now() - startedMs < ROUND_MS) {
    for (const record of records) work(record);
    count += records.length;
  }
  return ((performance.now() - startedMs) * 1000) / count;
}

/** Rounds of one input and its opponents, in turns. */
function measured({ name, format, records, opponents }: Input): Row[] {
  const decoder = createDecoder(format, { ...FORMAT_OPTIONS, schemas: new KnownSchemas(LOGIN_SCHEMA) });
  const decode = (record: Buffer): unknown => {
    decoder.prepare?.(record, 0, record.length);
    return decoder.decode(record, 0, record.length);
  };
  const micros: number[] = [];
  const ratios = opponents.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    const mine = timed(records, decode);
    const others = opponents.map((opponent) => timed(opponent.records, opponent.work));
    // The first is for the compiler.
    if (round === 0) continue;
    micros.push(mine);
    for (const [i, other] of others.entries()) ratios[i]!.push(mine / other);
  }
  const goal = GOALS[format];
  return [
    { name: `${name}, µs a record`, values: micros },
    { name: `${name}, records/s`, values: micros.map((each) => 1e6 / each) },
    ...opponents.map((opponent, i) => ({
      name: `${name}, ${opponent.name} = 1`,
      values: ratios[i]!,
      ...(goal === undefined ? {} : { goal: { value: goal } }),
    })),
  ];
}

const names = FORMATS.map(({ name }) => name).filter((name) => (options.format ?? name) === name);
printTable("", names.flatMap(inputsOf).flatMap(measured));
