import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { EXAMPLE_FILE } from "../processes/oddlink.ts";
import { startChromium } from "./chromium.ts";
import { expectAccessible } from "./console-page.ts";
import { opened, served, takePicture } from "./served-page.ts";

const LINES = gunzipSync(readFileSync(EXAMPLE_FILE)).toString().trimEnd().split("\n");
const WAIT_MS_MAX = 90_000;

type Counts = Readonly<Record<string, number>>;

test("an investigation to its end: incident, neighbour, verdict, and what comes next time is suppressed", {
  timeout: 240_000,
}, async (t) => {
  const env = { ODDLINK_TRAINING_MODE: "off" };
  const { url, child } = await served(t, "-", env, `${LINES.join("\n")}\n`);
  const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    for (const deadlineMs = performance.now() + WAIT_MS_MAX; !(await isSo()); await sleep(50))
      assert.ok(performance.now() < deadlineMs, `waited in vain for ${what}`);
  };
  const counts = async (): Promise<Counts> =>
    ((await (await fetch(`${url}/api/v1/status`)).json()) as { counts: Counts }).counts;
  await until("all of it to be read", async () => (await counts())["consumed"]! >= LINES.length - 1);

  const browser = await startChromium(t);
  for (const colorScheme of ["dark", "light"] as const) {
    const isLast = colorScheme === "light";
    const { page, problems } = await opened(t, browser, url, colorScheme);
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
    await page.waitForSelector(".verdict-panel [role=status]:has-text('Saved')");
    assert.match((await page.textContent(".verdict-panel strong"))!, /^True positive$/);
    await page.check("#verdict-withdrawn");
    await page.click(".verdict-panel form button");
    await page.waitForSelector(".verdict-panel strong:has-text('Withdrawn')");
    if (isLast) {
      await page.check("#verdict-benign");
      await page.check("#verdict-any-target");
      assert.equal(await page.inputValue("#verdict-by"), "ann <soc>", "asked once");
      await page.fill("#verdict-reason", "new laptop, ticket 4711");
      await page.click(".verdict-panel form button");
      await page.waitForSelector(".verdict-panel strong:has-text('Benign')");
    }
    await page.click(".verdict-panel summary");
    await expectAccessible(page, `verdict, ${colorScheme}`);
    // As it looks before it is saved.
    await page.check("#verdict-benign");
    await takePicture(page, "verdict", colorScheme, "section.verdict-panel");
    await page.click('nav a[href="#/incidents"]');
    const row = (await page.textContent("table.incidents tbody tr"))!;
    if (isLast) assert.match(row, /benign$/);
    else assert.doesNotMatch(row, /positive|benign/);
    assert.deepEqual(problems, []);
  }

  const toldBefore = await counts();
  assert.equal(toldBefore["suppressed"], 0);
  const story = LINES.filter((line) => line.includes("U748@DOM1") && line.includes("C17693"));
  assert.ok(story.length > 0);
  const later = story.map((line) => line.replace(/^\d+/, (seconds) => String(Number(seconds) + 3600)));
  child.stdin!.end(`${later.join("\n")}\n`);
  await until("the same again", async () => (await counts())["suppressed"]! > 0);
  assert.equal((await counts())["alerts"], toldBefore["alerts"], "nobody is told again");
  // All is read by now: who looks at what was found may still answer.
  const incidents = async () =>
    (await (await fetch(`${url}/api/v1/incidents?state=all`)).json()) as {
      incidents: { uid: string; verdict: string | null; suppression: object | null }[];
    };
  const { uid } = (await incidents()).incidents.find(({ suppression }) => suppression === null)!;
  await fetch(`${url}/api/v1/incidents/${uid}/verdict`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ verdict: "true-positive", by: "eve" }),
  });
  assert.equal((await incidents()).incidents.find((one) => one.uid === uid)!.verdict, "true-positive");
});
