import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";

const WAIT_MS_MAX = 30_000;

export type OpenedPage = {
  readonly page: Page;
  /** What went wrong in it, to be empty in the end. */
  readonly problems: string[];
  /** Addresses of all that it asked for. */
  readonly requests: string[];
};

/** The page of a console in a context of its own, on which nothing may go wrong unseen. */
export async function openedPage(
  t: Pick<TestContext, "after">,
  browser: Browser,
  url: string,
  colorScheme: "light" | "dark" = "light",
): Promise<OpenedPage> {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1200, height: 850 } });
  t.after(() => context.close());
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(url);
  await page.waitForSelector("main h2");
  return { page, problems, requests };
}

/** No violation at all that a check by rules finds. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(
    violations.map(({ id, impact, nodes }) => `${what}: ${id} (${impact}), ${nodes[0]?.html}`),
    [],
  );
}

/** Waits until an expression holds in the page, whose own policy lets nobody evaluate a text from within. */
export async function until(page: Page, expression: string): Promise<void> {
  for (
    const deadlineMs = performance.now() + WAIT_MS_MAX;
    !(await page.evaluate(expression));
    await sleep(20)
  )
    assert.ok(performance.now() < deadlineMs, `waited in vain for ${expression}`);
}
