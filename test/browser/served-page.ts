import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { ended, start } from "../processes/oddlink.ts";

const IMAGES = join(import.meta.dirname, "..", "..", "docs", "images");
/** Set to take the pictures of the docs anew. */
const TAKES_PICTURES = process.env["TAKE_PICTURES"] === "1";
export const SCHEMES = ["light", "dark"] as const;
const READY_MS_MAX = 90_000;

/** A run that is served until the test is over. */
export async function served(
  t: TestContext,
  source: string,
  env: Record<string, string> = {},
): Promise<{ readonly url: string }> {
  const child = start(["run", source, "--serve", "--json"], {
    env: { ODDLINK_HTTP_PORT: "0", ...env },
    timeoutMs: 240_000,
  });
  t.after(async () => {
    child.kill("SIGTERM");
    await ended(child);
  });
  let said = "";
  child.stderr!.on("data", (chunk) => (said += chunk));
  child.stdout!.resume();
  for (const deadlineMs = performance.now() + READY_MS_MAX; !/all is read/.test(said); await sleep(50))
    assert.ok(performance.now() < deadlineMs && child.exitCode === null, said);
  return { url: /http: (http:\/\/127\.0\.0\.1:\d+)/.exec(said)![1]! };
}

/** A page on which nothing may go wrong unseen. */
export async function opened(
  t: TestContext,
  browser: Browser,
  url: string,
  colorScheme: "light" | "dark" = "light",
): Promise<{ readonly page: Page; readonly problems: string[]; readonly requests: string[] }> {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1200, height: 850 } });
  t.after(() => context.close());
  const page = await context.newPage();
  const problems: string[] = [];
  const requests: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(url);
  await page.waitForSelector("table.incidents tbody td");
  return { page, problems, requests };
}

async function expectAccessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(
    serious.map(({ id, nodes }) => `${what}: ${id}, ${nodes[0]?.html}`),
    [],
  );
}

/** A view as it is now has nothing that keeps anybody out; its picture is taken if that is asked for. */
export async function look(page: Page, view: string, scheme: string, fullPage = false): Promise<void> {
  await expectAccessible(page, `${view}, ${scheme}`);
  if (TAKES_PICTURES)
    await page.screenshot({
      path: join(IMAGES, `${view}-${scheme}.jpg`),
      type: "jpeg",
      quality: 70,
      fullPage,
    });
}
