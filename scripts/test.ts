/**
 * Runs all checks and tests: `npm test`. Installs nothing but what the lock file names, and that only if it is missing.
 *
 *   npm test              everything
 *   npm test -- FILE...   these test files only, on Node 24
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);
const node24 = join(root, "node_modules", "node", "bin", "node");
const node22 = join(root, "node_modules", "node22", "bin", "node");

function run(what: string, command: string, args: readonly string[]): void {
  process.stdout.write(`\n== ${what}\n`);
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"]}`,
  };
  // The runner of an outer test must not make the inner one report to it.
  delete environment["NODE_TEST_CONTEXT"];
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", env: environment });
  if (error !== undefined) throw error;
  if (status !== 0) {
    process.stdout.write(`\n${what}: failed\n`);
    process.exit(status ?? 1);
  }
}

if (![node24, node22, bin("tsc"), bin("biome")].every((file) => existsSync(file))) {
  run("install", "npm", ["ci"]);
}

const chosen = process.argv.slice(2);
const all = globSync("test/**/*.test.ts", { cwd: root }).sort();
// Whole processes are started and killed there, packages installed, and clusters simulated: on one version of Node only.
const slow = all.filter((file) =>
  /^test\/(processes|browser|broker|simulation|package|docs|helm|images|monitoring|security)\//.test(file),
);
const fast = all.filter((file) => !slow.includes(file));
if (all.length === 0 || fast.length === 0) throw new Error("no tests found");

if (chosen.length > 0) {
  run("tests", node24, ["--test", ...chosen]);
} else {
  run("lint and format", bin("biome"), ["check", "."]);
  run("types", bin("tsc"), ["-p", "tsconfig.json", "--noEmit"]);
  run("types of the page", bin("tsc"), ["-p", "tsconfig.page.json", "--noEmit"]);
  run("licences of dependencies", node24, ["scripts/licences.ts"]);
  run("audit of dependencies", node24, ["scripts/audit.ts"]);
  run("build", node24, ["scripts/build.ts"]);
  run("what was built", node24, ["dist/cli/main.js", "run", "examples/lanl", "--json"]);
  run("unit tests on Node 22", node22, ["--disable-warning=ExperimentalWarning", "--test", ...fast]);
  run("all tests on Node 24", node24, ["--test", "--test-concurrency=2", ...all]);
}
