/**
 * Writes the published Avro schemas from the code: `schemas/NAME.avsc`, each with its past in `schemas/history/NAME/`.
 *
 *   node scripts/schemas.ts            writes the current schemas
 *   node scripts/schemas.ts --check    writes nothing, ends with 1 if one is stale
 *   node scripts/schemas.ts --release  also adds what changed to the history; to be run when a version is released
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SEGMENT_SCHEMA } from "../src/graph-state/segment.ts";
import { LOGIN_SCHEMA } from "../src/ingest/formats/avro-login.ts";

const PUBLISHED: Readonly<Record<string, unknown>> = { login: LOGIN_SCHEMA, segment: SEGMENT_SCHEMA };
const FOLDER = join(import.meta.dirname, "..", "schemas");

const flags = process.argv.slice(2);
const isCheck = flags.includes("--check");
const isRelease = flags.includes("--release");
const unknown = flags.find((flag) => flag !== "--check" && flag !== "--release");
if (unknown !== undefined) throw new Error(`there is no option ${unknown}`);

for (const [name, schema] of Object.entries(PUBLISHED)) {
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  const file = join(FOLDER, `${name}.avsc`);
  if (isCheck) {
    if (read(file) === text) continue;
    process.stdout.write(`schemas/${name}.avsc is stale: run node scripts/schemas.ts\n`);
    process.exitCode = 1;
    continue;
  }
  writeFileSync(file, text);
  if (isRelease) release(name, text);
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
