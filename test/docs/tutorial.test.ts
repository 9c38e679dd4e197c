import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../processes/oddlink.ts";
import { ROOT, readPage } from "./markdown.ts";

const TEST_MS_MAX = 180_000;
/** Commands, and what they print. */
const STEPS = new Set(["sh", "text"]);

test("the steps of the tutorial do what it says", { timeout: TEST_MS_MAX }, async (t) => {
  const folder = temporaryFolder(t);
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const main = join(ROOT, "src", "cli", "main.ts");
  writeFileSync(
    join(bin, "oddlink"),
    `#!/bin/sh\nexec "${process.execPath}" --disable-warning=ExperimentalWarning "${main}" "$@"\n`,
  );
  chmodSync(join(bin, "oddlink"), 0o755);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NO_COLOR: "1",
    PATH: `${bin}${delimiter}${process.env["PATH"]}`,
  };
  delete env["NODE_TEST_CONTEXT"];
  const blocks = readPage("docs/tutorial.md").blocks.filter(({ language }) => STEPS.has(language));
  let said = "";
  let steps = 0;
  for (const { language, text, line } of blocks) {
    if (language === "sh") {
      const { status, stdout, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", text], {
        cwd: folder,
        env,
        encoding: "utf8",
        timeout: TEST_MS_MAX,
      });
      assert.equal(status, 0, `line ${line}: ${stderr}`);
      said = stdout;
      steps++;
      continue;
    }
    // Each line that is shown comes, in this order; others may come between.
    let from = 0;
    for (const shown of text.split("\n")) {
      const at = said.indexOf(shown, from);
      assert.ok(at >= 0, `line ${line}: "${shown}" is not said after what is shown before it:\n${said}`);
      from = at + shown.length;
    }
  }
  assert.ok(steps >= 7);
});
