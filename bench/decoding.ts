/**
 * Claim: reading oddlink's own JSON costs no more than JSON.parse of it alone, and Avro half of that.
 *
 *   npx node bench/decoding.ts [--rounds 9] [--seconds 0.3]
 *
 * Each format decodes its sample again and again, one record after the other as the engine does; the opponent parses the same
 * bytes, of Avro and of text those of the same logins as JSON, and does nothing with what it gets. The two take turns.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import avsc from "avsc";
import { LOGIN_SCHEMA } from "../src/ingest/formats/avro-login.ts";
import { createDecoder, FORMATS } from "../src/ingest/formats/index.ts";
import type { Login } from "../src/ingest/login.ts";
import { KnownSchemas, message } from "../test/ingest/avro-messages.ts";
import { sampleRecords } from "../test/ingest/samples.ts";
import { printTable, type Row } from "./table.ts";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "9" }, seconds: { type: "string", default: "0.3" } },
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

/** Records a format decodes, and what the opponent parses. */
function inputOf(name: string): readonly [own: readonly Buffer[], json: readonly Buffer[]] | undefined {
  if (name === "oddlink") return [canonical, canonical];
  if (name === "avro") return [avro, canonical];
  if (name === "lanl") return [lanl, canonical];
  const format = FORMATS.find((one) => one.name === name)!;
  const records = readdirSync(join(import.meta.dirname, "..", "test", "ingest", "samples"))
    .filter((file) => file.endsWith(".gz"))
    .flatMap((file) => sampleRecords(file.slice(0, -3)))
    .filter((record) => FORMATS.find((one) => one.recognises(record, 0, record.length)) === format);
  if (records.length === 0) return undefined;
  const isJson = records[0]![0] === 0x7b;
  return [records, isJson ? records : canonical];
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

const rows: Row[] = [];
for (const { name } of FORMATS) {
  const input = inputOf(name);
  if (input === undefined) continue;
  const [own, json] = input;
  const decoder = createDecoder(name, { lanlStartMs: 0, schemas: new KnownSchemas(LOGIN_SCHEMA) });
  const decode = (record: Buffer): unknown => {
    decoder.prepare?.(record, 0, record.length);
    return decoder.decode(record, 0, record.length);
  };
  const parse = (record: Buffer): unknown => JSON.parse(record.toString("utf8"));
  const micros: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [mine, other] = [timed(own, decode), timed(json, parse)];
    // The first is for the compiler.
    if (round === 0) continue;
    micros.push(mine);
    ratios.push(mine / other);
  }
  const goal = GOALS[name];
  rows.push({ name: `${name}, µs a record`, values: micros });
  rows.push({
    name: `${name}, JSON.parse = 1`,
    values: ratios,
    ...(goal === undefined ? {} : { goal: { value: goal } }),
  });
}
printTable("", rows);
