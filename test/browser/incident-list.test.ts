import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Page } from "playwright-core";
import { findingOf, SCANNER_RULE } from "../alerts/suppressed-findings.ts";
import { type Stage, stage } from "../console/console-stage.ts";
import { startChromium } from "./chromium.ts";
import { expectAccessible, openedPage, until } from "./console-page.ts";

const TOLD = 10_000;
const SUPPRESSED = 300;
/** Of the table, and of the whole page: some hundred rows of a dozen elements, and the room of parts that are not drawn. */
const ROWS_DRAWN_MAX = 400;
const ELEMENTS_MAX = 8000;

/** Thousands of incidents, and a suppressed one every so many of them. */
function fill({ feed }: Stage): void {
  for (let i = 0; i < TOLD; i++) {
    feed.add(findingOf(`told-${i}`, `a${i}`, { timeMs: i * 1000 }));
    if (i < SUPPRESSED) feed.add(findingOf(`kept-${i}`, `k${i}`, { timeMs: i * 1000, isSuppressed: true }));
  }
}

const links = "table.incidents tbody a";
const rows = "table.incidents tr[data-uid]";
const rowCount = async (page: Page): Promise<number> =>
  Number(await page.getAttribute("table.incidents", "aria-rowcount")) - 1;
const countTexts = (page: Page): Promise<string[]> => page.locator(".filter .count").allTextContents();
const focused = (page: Page): Promise<string | undefined> =>
  page.evaluate("document.activeElement?.closest('tr')?.dataset.uid");
/** The row in the middle of the window. */
const SEEN = "document.elementFromPoint(300, 400)?.closest('tr')?.dataset.uid";

/** Uid and number of alerts of the first rows. */
function firstRows(page: Page, count: number): Promise<[string, string][]> {
  return page
    .locator(rows)
    .evaluateAll((all) => all.map((row) => [row.dataset["uid"], row.cells[3].textContent]))
    .then((all) => all.slice(0, count) as [string, string][]);
}

async function untilFirst(page: Page, uid: string): Promise<void> {
  await until(page, `document.querySelector("${rows}")?.dataset.uid === "${uid}"`);
}

async function untilCounts(page: Page, ...counts: readonly number[]): Promise<void> {
  const texts = counts.map((count) => count.toLocaleString("en-US")).join(" ");
  await until(
    page,
    `[...document.querySelectorAll(".filter .count")].map((one) => one.textContent).join(" ") === "${texts}"`,
  );
}

async function expectBounded(page: Page): Promise<void> {
  assert.ok((await page.locator(links).count()) <= ROWS_DRAWN_MAX);
  assert.ok((await page.locator("*").count()) <= ELEMENTS_MAX);
}

async function many(t: TestContext) {
  const there = await stage(t);
  fill(there);
  const opened = await openedPage(t, await startChromium(t), there.console.url);
  await untilCounts(opened.page, TOLD, SUPPRESSED, TOLD + SUPPRESSED);
  return { ...there, ...opened };
}

test("after 10,000 incidents and a burst of alerts the list is right, filter included, and little of it is drawn", {
  timeout: 180_000,
}, async (t) => {
  const { feed, page, problems } = await many(t);
  const first = async (): Promise<string> => (await firstRows(page, 1))[0]![0];
  assert.equal(await rowCount(page), TOLD);
  assert.equal(await first(), `told-${TOLD - 1}`);
  await expectBounded(page);
  // New ones push the oldest out, those that are told again come to the front, and suppressed ones do neither.
  for (let i = 0; i < 1000; i++) {
    feed.add(findingOf(`new-${i}`, `n${i}`));
    const count = 2 + Math.floor(i / 100);
    feed.add(findingOf(`told-${5000 + (i % 100)}`, `again-${i}`, { count }));
    if (i % 10 === 0) feed.add(findingOf(`quiet-${i}`, `q${i}`, { isSuppressed: true }));
  }
  const suppressed = SUPPRESSED + 100;
  await untilFirst(page, "told-5099");
  await untilCounts(page, TOLD, suppressed, TOLD + suppressed);
  assert.equal(await rowCount(page), TOLD);
  const expected = feed.list(20).map(({ uid, alertCount }) => [uid, String(alertCount)]);
  assert.deepEqual(await firstRows(page, 20), expected);
  await page.check('input[value="suppressed"]');
  assert.equal(await rowCount(page), suppressed);
  assert.equal(await first(), "quiet-990");
  await page.check('input[value="all"]');
  assert.equal(await rowCount(page), TOLD + suppressed);
  assert.deepEqual(
    (await firstRows(page, 20)).map(([uid]) => uid),
    feed.list(20, "all").map(({ uid }) => uid),
  );
  await expectBounded(page);
  // To the very end, and back.
  await page.check('input[value="told"]');
  await page.evaluate("scrollTo(0, document.body.scrollHeight)");
  const oldest = `tr[data-uid="${feed.list(TOLD).at(-1)!.uid}"]`;
  await page.waitForSelector(oldest);
  assert.equal(await page.getAttribute(oldest, "aria-rowindex"), String(TOLD + 1));
  await expectBounded(page);
  await page.evaluate("scrollTo(0, 0)");
  await untilFirst(page, "told-5099");
  assert.deepEqual(problems, []);
});

test("while somebody reads further down nothing moves, and what is new is shown when it is asked for", {
  timeout: 180_000,
}, async (t) => {
  const { feed, page, problems } = await many(t);
  await page.evaluate("scrollTo(0, 50_000)");
  await until(page, SEEN);
  const before: string = await page.evaluate(SEEN);
  for (let i = 0; i < 30; i++) feed.add(findingOf(`new-${i}`, `n${i}`));
  feed.add(findingOf(before, "again", { count: 2 }));
  await page.waitForSelector('button.new:has-text("Show 30 new incidents")');
  assert.equal(await page.evaluate(SEEN), before);
  // What is known of what is seen is new all the same.
  await page.waitForSelector(`tr[data-uid="${before}"] td.number:text-is("2")`);
  await expectAccessible(page, "scrolled");
  await page.click("button.new");
  await untilFirst(page, before);
  assert.equal(await page.evaluate("scrollY"), 0);
  assert.equal(await page.locator("button.new").isVisible(), false);
  assert.deepEqual(problems, []);
});

test("every row is reached by keyboard, keeps the focus while alerts come, and is come back to", {
  timeout: 180_000,
}, async (t) => {
  const { feed, page, problems } = await many(t);
  await page.locator(links).first().focus();
  for (let i = 0; i < 70; i++) await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), `told-${TOLD - 71}`);
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), `told-${TOLD - 72}`);
  await page.keyboard.press("End");
  assert.equal(await focused(page), "told-0");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), "told-1");
  for (let i = 0; i < 50; i++) feed.add(findingOf(`new-${i}`, `n${i}`));
  await page.waitForSelector('button.new:has-text("Show 50 new")');
  assert.equal(await focused(page), "told-1");
  // By Tab alone, from one part of the table to the next.
  await page.keyboard.press("Home");
  for (let i = 0; i < 110; i++) await page.keyboard.press("Tab");
  assert.equal(await focused(page), `told-${TOLD - 111}`);
  await expectBounded(page);
  await page.keyboard.press("Enter");
  await page.waitForSelector('.graph[aria-busy="false"] .node');
  await page.goBack();
  await page.waitForSelector("table.incidents");
  assert.equal(await focused(page), `told-${TOLD - 111}`);
  assert.deepEqual(problems, []);
});

test("suppressed incidents are not shown with those that were told, and say by which rule, in the list and on their page", {
  timeout: 120_000,
}, async (t) => {
  const { console, feed } = await stage(t);
  feed.add(findingOf("told", "t1"));
  feed.add(findingOf("kept", "k1", { isSuppressed: true }));
  const browser = await startChromium(t);
  for (const scheme of ["light", "dark"] as const) {
    const { page, problems } = await openedPage(t, browser, console.url, scheme);
    await page.waitForSelector(links);
    assert.deepEqual(await countTexts(page), ["1", "1", "2"]);
    assert.equal(await page.locator(links).count(), 1);
    assert.doesNotMatch((await page.textContent("table.incidents"))!, /Suppressed/);
    const rule = `Suppressed by rule ${SCANNER_RULE.id} of ${SCANNER_RULE.owner} until ${SCANNER_RULE.until}: ${SCANNER_RULE.reason}`;
    await page.check('input[value="all"]');
    assert.equal(await page.locator(links).count(), 2);
    await expectAccessible(page, `all, ${scheme}`);
    await page.check('input[value="suppressed"]');
    assert.equal(await page.textContent("tr[data-uid] .rule"), rule);
    await expectAccessible(page, `suppressed, ${scheme}`);
    await page.click(links);
    await page.waitForSelector(".note");
    assert.match(
      (await page.textContent(".note"))!,
      new RegExp(`Nobody was told.*${rule.replaceAll(".", "\\.")}`),
    );
    await page.waitForSelector('.graph[aria-busy="false"]');
    await expectAccessible(page, `suppressed incident, ${scheme}`);
    // The choice is as it was.
    await page.goBack();
    await page.waitForSelector("table.incidents");
    assert.equal(await page.locator(links).count(), 1);
    assert.deepEqual(problems, []);
  }
});
