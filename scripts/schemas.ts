/**
 * Writes the published schemas from the code: Avro's as `schemas/NAME.avsc`, each with its past in `schemas/history/NAME/`, and JSON Schema's of
 * records that others write as `schemas/NAME.schema.json`.
 *
 *   node scripts/schemas.ts            writes the current schemas
 *   node scripts/schemas.ts --check    writes nothing, ends with 1 if one is stale
 *   node scripts/schemas.ts --release  also adds what changed to the history; to be run when a version is released
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ALERT_SCHEMA, ECS_SIGNAL_SCHEMA, SCORED_LOGIN_SCHEMA } from "../src/alerts/avro-schemas.ts";
import { verdictSchema } from "../src/alerts/verdict.ts";
import { SEGMENT_SCHEMA } from "../src/graph-state/segment.ts";
import { LOGIN_SCHEMA } from "../src/ingest/formats/avro-login.ts";
import { recordSchema } from "../src/ingest/formats/oddlink.ts";

const AVRO: Readonly<Record<string, unknown>> = {
  login: LOGIN_SCHEMA,
  segment: SEGMENT_SCHEMA,
  alert: ALERT_SCHEMA,
  "ecs-signal": ECS_SIGNAL_SCHEMA,
  "scored-login": SCORED_LOGIN_SCHEMA,
};
const JSON_SCHEMAS: Readonly<Record<string, unknown>> = {
  verdict: { ...z.toJSONSchema(verdictSchema, { io: "input" }), title: "Verdict" },
  login: { ...z.toJSONSchema(recordSchema, { io: "input" }), title: "Login", additionalProperties: true },
};
const FOLDER = join(import.meta.dirname, "..", "schemas");

const flags = process.argv.slice(2);
const isCheck = flags.includes("--check");
const isRelease = flags.includes("--release");
const unknown = flags.find((flag) => flag !== "--check" && flag !== "--release");
if (unknown !== undefined) throw new Error(`there is no option ${unknown}`);

for (const [name, schema] of Object.entries(AVRO)) {
  const text = write(`${name}.avsc`, schema);
  if (isRelease && !isCheck) release(name, text);
}
for (const [name, schema] of Object.entries(JSON_SCHEMAS)) write(`${name}.schema.json`, schema);

function write(name: string, schema: unknown): string {
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  const file = join(FOLDER, name);
  if (!isCheck) writeFileSync(file, text);
  else if (read(file) !== text) {
    process.stdout.write(`schemas/${name} is stale: run node scripts/schemas.ts\n`);
    process.exitCode = 1;
  }
  return text;
}

/** Versions count from 1; one that is no news is not written. */
function release(name: string, text: string): void {
  const folder = join(FOLDER, "history", name);
  mkdirSync(folder, { recursive: true });
  const version = readdirSync(folder).length;
  if (read(join(folder, `${version}.avsc`)) !== text)
    writeFileSync(join(folder, `${version + 1}.avsc`), text);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
