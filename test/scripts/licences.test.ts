import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkLicences, isAllowed } from "../../scripts/licences.ts";
import { temporaryFolder } from "../processes/oddlink.ts";

const ROOT = join(import.meta.dirname, "..", "..");

function project(
  t: TestContext,
  packages: Record<string, object>,
  installed: Record<string, object>,
): string {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages: { "": {}, ...packages } }));
  for (const [place, manifest] of Object.entries(installed)) {
    mkdirSync(join(folder, place), { recursive: true });
    writeFileSync(join(folder, place, "package.json"), JSON.stringify(manifest));
  }
  return folder;
}

test("all that is installed with the package has a licence that goes with Apache-2.0", () => {
  const { packages, installed, problems } = checkLicences(ROOT);
  assert.deepEqual(problems, []);
  assert.ok(packages > 50 && installed > 50, `${packages} packages, ${installed} installed`);
});

test("a package under another licence, or none, is named; what is for development only is not looked at", (t) => {
  const folder = project(
    t,
    {
      "node_modules/good": { version: "1.0.0", license: "MIT" },
      "node_modules/copyleft": { version: "2.0.0", license: "GPL-3.0-only" },
      "node_modules/good/node_modules/@some/silent": { version: "3.0.0" },
      "node_modules/tool": { version: "4.0.0", license: "GPL-3.0-only", dev: true },
    },
    { "node_modules/copyleft": { license: "GPL-3.0-only" } },
  );
  assert.deepEqual(checkLicences(folder).problems, [
    "copyleft 2.0.0: GPL-3.0-only is not among those allowed",
    "@some/silent 3.0.0: its package.json names no licence",
  ]);
});

test("a package that says another licence than the lock file is named", (t) => {
  const folder = project(
    t,
    { "node_modules/changed": { version: "1.0.0", license: "MIT" } },
    { "node_modules/changed": { license: "ISC" } },
  );
  assert.deepEqual(checkLicences(folder).problems, [
    "changed 1.0.0: ISC where it is installed, MIT in the lock file",
  ]);
});

test("of licences to choose from one has to be allowed; of those that hold together none is passed unread", () => {
  assert.equal(isAllowed("(GPL-2.0-only OR MIT)"), true);
  for (const licence of [
    "(MIT AND GPL-2.0-only)",
    "(MIT OR ISC) AND (GPL-2.0-only OR LGPL-3.0)",
    "UNLICENSED",
  ])
    assert.equal(isAllowed(licence), false, licence);
});
