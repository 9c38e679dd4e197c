import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { AxeBuilder } from "@axe-core/playwright";
import { EXAMPLE_FILE, ended, start } from "../processes/oddlink.ts";
import { startChromium } from "./chromium.ts";

const IMAGES = join(import.meta.dirname, "..", "..", "docs", "images");
const TAKES_PICTURES = process.env["TAKE_PICTURES"] === "1";
const LINES = gunzipSync(readFileSync(EXAMPLE_FILE)).toString().trimEnd().split("\n");
const WAIT_MS_MAX = 90_000;

type Counts = Readonly<Record<string, number>>;

test("an investigation to its end: incident, neighbour, verdict, and what comes next time is suppressed", {
  timeout: 240_000,
}, async (t) => {
  const child = start(["run", "-", "--serve", "--json"], {
    env: { ODDLINK_HTTP_PORT: "0", ODDLINK_TRAINING_MODE: "off" },
    timeoutMs: 240_000,
  });
  t.after(async () => {
    child.kill("SIGTERM");
    await ended(child);
  });
  let said = "";
  child.stderr!.on("data", (chunk) => (said += chunk));
  child.stdout!.resume();
  const until = async (what: string, isSo: () => Promise<boolean> | boolean): Promise<void> => {
    for (const deadlineMs = performance.now() + WAIT_MS_MAX; !(await isSo()); await sleep(50))
      assert.ok(performance.now() < deadlineMs, `waited in vain for ${what}: ${said}`);
  };
  child.stdin!.write(`${LINES.join("\n")}\n`);
  await until("an address", () => /http: http/.test(said));
  const url = /http: (http:\/\/127\.0\.0\.1:\d+)/.exec(said)![1]!;
  const counts = async (): Promise<Counts> =>
    ((await (await fetch(`${url}/api/v1/status`)).json()) as { counts: Counts }).counts;
  await until("all of it to be read", async () => (await counts())["consumed"]! >= LINES.length - 1);

  const browser = await startChromium(t);
  for (const colorScheme of ["dark", "light"] as const) {
    const isLast = colorScheme === "light";
    const context = await browser.newContext({ colorScheme, viewport: { width: 1200, height: 850 } });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    await page.goto(url);
    await page.click("table.incidents tbody a");
    const neighbour = page.locator('.login-graph .node[aria-label^="host C2677"]');
    await page.waitForSelector('.graph[aria-busy="false"] .node');
    const before = await page.locator(".login-graph .node").count();
    await neighbour.click();
    await page.waitForSelector('.graph[aria-busy="false"] .node');
    assert.ok((await page.locator(".login-graph .node").count()) > before);
    // First the other answer, which is taken back; by keyboard alone.
    await page.locator("#verdict-true-positive").focus();
    await page.keyboard.press("Space");
    assert.match((await page.textContent("#verdict-effect"))!, /never become familiar/);
    assert.ok(await page.locator("#verdict-until").isHidden());
    await page.fill("#verdict-by", "ann <soc>");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".verdict [role=status]:has-text('Saved')");
    assert.match((await page.textContent(".verdict strong"))!, /^True positive$/);
    await page.check("#verdict-withdrawn");
    await page.click(".verdict form button");
    await page.waitForSelector(".verdict strong:has-text('Withdrawn')");
    if (isLast) {
      await page.check("#verdict-benign");
      await page.check("#verdict-any-target");
      assert.equal(await page.inputValue("#verdict-by"), "ann <soc>", "asked once");
      await page.fill("#verdict-reason", "new laptop, ticket 4711");
      await page.click(".verdict form button");
      await page.waitForSelector(".verdict strong:has-text('Benign')");
    }
    await page.click(".verdict summary");
    const { violations } = await new AxeBuilder({ page }).analyze();
    assert.deepEqual(
      violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id }) => id),
      [],
    );
    // As it looks before it is saved.
    await page.check("#verdict-benign");
    if (TAKES_PICTURES) {
      const path = join(IMAGES, `verdict-${colorScheme}.jpg`);
      await page.locator("section.verdict").screenshot({ path, type: "jpeg", quality: 70 });
    }
    await page.click('nav a[href="#/incidents"]');
    const row = (await page.textContent("table.incidents tbody tr"))!;
    if (isLast) assert.match(row, /benign$/);
    else assert.doesNotMatch(row, /positive|benign/);
    assert.deepEqual(problems, []);
    await context.close();
  }

  const toldBefore = await counts();
  assert.equal(toldBefore["suppressed"], 0);
  const story = LINES.filter((line) => line.includes("U748@DOM1") && line.includes("C17693"));
  assert.ok(story.length > 0);
  const later = story.map((line) => line.replace(/^\d+/, (seconds) => String(Number(seconds) + 3600)));
  child.stdin!.end(`${later.join("\n")}\n`);
  await until("the same again", async () => (await counts())["suppressed"]! > 0);
  assert.equal((await counts())["alerts"], toldBefore["alerts"], "nobody is told again");
});
