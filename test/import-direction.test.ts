import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { test } from "node:test";

const SRC = join(import.meta.dirname, "..", "src");

/** The rooms in order: each may import from itself and from those before it, never from those after it. */
const ORDER = [
  "errors",
  "fetch-errors",
  "version",
  "time",
  "aborting",
  "ingest",
  "graph-state",
  "model",
  "generator",
  "alerts",
  "delivery",
  "log",
  "config",
  "engine",
  // The package's entry, and what it is made of: no command, no console and no client of Kafka may come with it.
  "library",
  "index",
  "metrics",
  "canary",
  "html",
  "evaluation",
  "console",
  "cli",
];

/** The stages do not know of the log: it is an adapter's business where segments go. */
const FORBIDDEN = [
  ["log", "graph-state"],
  ["log", "model"],
  ["log", "alerts"],
  // The generator borrows the seeded numbers of the model, and knows nothing of what will read its rows.
  ["generator", "ingest"],
  ["generator", "graph-state"],
];

/** Files that the package's entry needs, whatever a program uses of it. */
function behindEntry(): Set<string> {
  const reached = new Set([join(SRC, "index.ts")]);
  for (const file of reached) for (const target of valueImports(file)) reached.add(target);
  return reached;
}

/** Imports that are there when it runs: those of types alone are not, nor are those in doc comments. */
function valueImports(file: string): string[] {
  const statements = readFileSync(file, "utf8").matchAll(
    /^(?:import|export) (?!type )[^;]*?from "(\.[^"]+)"/gm,
  );
  return Array.from(statements, (match) => resolve(file, "..", match[1]!));
}

const roomOf = (file: string): string => relative(SRC, file).split("/")[0]!.replace(/\.ts$/, "");

function imports(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:from|import)\s+"(\.[^"]+)"/g)].map((match) => resolve(file, "..", match[1]!));
}

test("a stage imports only from the stages before it", () => {
  const files = globSync("**/*.ts", { cwd: SRC }).map((file) => join(SRC, file));
  const wrong: string[] = [];
  let edges = 0;
  for (const file of files) {
    const from = roomOf(file);
    assert.ok(ORDER.includes(from), `${from} has no place in the order: give it one`);
    for (const target of imports(file)) {
      const to = roomOf(target);
      edges++;
      const isBackward = ORDER.indexOf(to) > ORDER.indexOf(from);
      const isForbidden = FORBIDDEN.some(([a, b]) => a === from && b === to);
      if (isBackward || isForbidden) wrong.push(`${relative(SRC, file)} imports ${relative(SRC, target)}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(files.length > 40 && edges > 100, `looked at ${files.length} files and ${edges} imports only`);
});

test("the stages that hold state know no clock, no randomness and no I/O", () => {
  const impure = /\b(Date\.now|performance\.now|Math\.random|new Date\(\)|node:fs|node:net|node:http)\b/;
  const files = globSync("{graph-state,model}/**/*.ts", { cwd: SRC });
  const wrong = files.filter((file) => impure.test(readFileSync(join(SRC, file), "utf8")));
  assert.deepEqual(wrong, []);
  assert.ok(files.length > 20);
});

test("the package's entry loads no client of Kafka, no web server and nothing of the command line", () => {
  const reached = behindEntry();
  const foreign = [...reached].filter((file) => {
    const text = readFileSync(file, "utf8");
    return (
      /\/log\/kafka\//.test(file) ||
      /from "(kafkajs|fastify|commander|prom-client|@fastify\/[^"]*)"/.test(text)
    );
  });
  assert.deepEqual(foreign, []);
  assert.ok(reached.size > 100, `looked at ${reached.size} files only`);
});
