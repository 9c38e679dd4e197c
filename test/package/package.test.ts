import assert from "node:assert/strict";
import { copyFileSync, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { InstalledPackage, ROOT } from "./installed-package.ts";

const SAMPLE = join(ROOT, "examples", "lanl", "auth.txt.gz");
const TOOLS = join(ROOT, "node_modules", ".bin");
/** Much more than it weighs packed; a recording or a native binary that slips in weighs more. */
const TARBALL_BYTES_MAX = 2_000_000;

/** As strict as a program's compiler can be, libraries included. */
const CONSUMER_TSCONFIG = {
  compilerOptions: {
    target: "es2024",
    module: "nodenext",
    moduleResolution: "nodenext",
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    rewriteRelativeImportExtensions: true,
    outDir: "compiled",
    rootDir: ".",
  },
  include: ["*.ts"],
};

const CONSUMER = `
import { type DetectionFinding, type Log, openEngine, type Settings, startEngine, VERSION } from "oddlink";

const settings: Settings = { threshold: 0.5, training: { mode: "off" } };
// @ts-expect-error: there is no such setting
const misspelt: Settings = { treshold: 0.5 };
// @ts-expect-error: it is a number of milliseconds
const wrongTime = () => openEngine().then((engine) => engine.add([{ timeMs: "now", user: "ann" }]));
const ownLog = (log: Log) => startEngine(log, { settings });

const titles: string[] = [];
const tell = ({ finding_info }: DetectionFinding): void => void titles.push(finding_info.title);
const engine = await openEngine({ settings, onAlert: tell });
await engine.add([{ timeMs: 0, user: "ann", sourceHost: "pc-ann", targetHost: "files" }]);
const { scored, watermarkMs } = engine.status();
console.log(VERSION, scored, watermarkMs, typeof misspelt, typeof wrongTime, typeof ownLog);
await engine.close();
`;

/** The program of each doc comment of what the package exports. */
function documented(): string[] {
  return globSync("src/library/*.ts", { cwd: ROOT })
    .sort()
    .flatMap((file) => [
      ...readFileSync(join(ROOT, file), "utf8").matchAll(/^ *\* ```ts\n(.*?)^ *\* ```$/gms),
    ])
    .map((match) => match[1]!.replaceAll(/^ *\* ?/gm, ""));
}

describe("the package as it is published", () => {
  let published: InstalledPackage;
  before(() => {
    published = new InstalledPackage();
    for (const file of globSync("*.ts", { cwd: join(published.installed, "examples", "embed") }))
      copyFileSync(join(published.installed, "examples", "embed", file), join(published.consumer, file));
    published.write("tsconfig.json", JSON.stringify(CONSUMER_TSCONFIG));
    published.write("consumer.ts", CONSUMER);
    for (const [i, program] of documented().entries()) published.write(`documented-${i}.ts`, program);
  });
  after(() => published?.remove());

  test("holds what runs, what it is described by, and nothing else", () => {
    const places =
      /^(dist\/|schemas\/|docs\/(how-to\/)?[A-Za-z-]+\.md$|examples\/embed\/|(package\.json|README\.md|CHANGELOG\.md|LICENSE)$)/;
    assert.deepEqual(
      published.files.filter((file) => !places.test(file)),
      [],
    );
    for (const file of ["dist/index.js", "dist/index.d.ts", "dist/cli/main.js", "docs/library.md"])
      assert.ok(published.files.includes(file), file);
    assert.ok(
      statSync(published.tarball).size < TARBALL_BYTES_MAX,
      `${statSync(published.tarball).size} bytes`,
    );
  });

  test("is clean by publint", async () => {
    const tarball = readFileSync(published.tarball);
    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(tarball).buffer },
      strict: true,
    });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg!)),
      [],
    );
  });

  test("has types that are right for whoever imports it as an ES module", () => {
    const { status, stdout, stderr } = published.run(join(TOOLS, "attw"), [
      published.tarball,
      "--profile",
      "esm-only",
      "--no-emoji",
    ]);
    assert.equal(status, 0, stdout + stderr);
  });

  test("gives the command to npx", () => {
    assert.equal(published.mustRun("npx", ["oddlink", "--version"]).trim(), versionOf(published));
    const summary = JSON.parse(
      published.mustRun("npx", ["oddlink", "run", SAMPLE, "--train", "off", "--json"]),
    );
    assert.ok(summary.consumed > 10_000 && summary.alerts > 0);
  });

  test("trains in the threads that it brings along", () => {
    const program = `
      import { openEngine, readRecords } from "oddlink";
      const engine = await openEngine({ settings: { training: { steps: 3 } } });
      await engine.add(readRecords([process.argv[2]]));
      console.log(engine.status().epoch > 1);
      await engine.close();
    `;
    published.write("trained.js", program);
    assert.equal(published.mustRun(process.execPath, ["trained.js", SAMPLE]).trim(), "true");
  });

  test("a TypeScript program compiles against it, strictly, and runs; so do examples and those of doc comments", () => {
    const { status, stdout } = published.run(join(TOOLS, "tsc"), ["-p", "."]);
    assert.equal(status, 0, stdout);
    assert.equal(
      published.mustRun(process.execPath, ["compiled/consumer.js"]).trim(),
      `${versionOf(published)} 1 0 object function function`,
    );
    assert.ok(documented().length >= 6);
    for (const [i, program] of documented().entries()) {
      const printed = published.mustRun(process.execPath, [`compiled/documented-${i}.js`]);
      // What an example says that a line prints.
      const said = [...program.matchAll(/; \/\/ (.+)$/gm)].map((match) => match[1]);
      if (said.length > 0) assert.equal(printed.trim(), said.join("\n"), program);
    }
  });

  test("the examples run from it", () => {
    const example = (file: string, ...args: string[]): string =>
      published.mustRun(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...args]);
    assert.match(
      example("score-logins.ts"),
      /^High: .*ann.*\nbob from pc-bob: 1\nbob from pc-ann: \S+e-\d+\n201 logins, 1 alert\n$/,
    );
    const first = example("read-files.ts", "logins.db", SAMPLE);
    assert.match(first, /consumed: 1\d{4},/);
    assert.match(first, /^U748@DOM1 used from C17693 /m);
    const second = example("read-files.ts", "logins.db", SAMPLE);
    assert.equal(second, first.slice(first.indexOf("{\n")), "nothing is new the second time");
    assert.match(example("decode-records.ts", SAMPLE), /login by NTLM/);
    assert.match(
      example("own-log.ts"),
      /^300 logins \[\]\n601 logins \[\s+"Login of U1@D from C2 .*"\s+\]\n$/s,
    );
  });

  test("gives nothing but its entry: what is internal can't be imported by accident", () => {
    const program = 'import("oddlink/dist/engine/engine.js").catch(({ code }) => console.log(code))';
    const args = ["--input-type=module", "--eval", program];
    assert.equal(published.mustRun(process.execPath, args).trim(), "ERR_PACKAGE_PATH_NOT_EXPORTED");
  });
});

function versionOf(published: InstalledPackage): string {
  return (JSON.parse(published.read("package.json")) as { version: string }).version;
}
