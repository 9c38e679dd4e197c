import assert from "node:assert/strict";
import { test } from "node:test";
import { scoreBinOf } from "../../src/alerts/group-peaks.ts";
import { engineOf, get, stage } from "../console/console-stage.ts";
import { startChromium } from "./chromium.ts";
import { expectAccessible, openedPage, until } from "./console-page.ts";

/** An engine whose counts are few enough to be counted by hand. */
function counted(threshold: number) {
  const base = engineOf({ threshold });
  const { totals } = base;
  const incidents = new Array<number>(totals.scoreBins.length).fill(0);
  for (const [score, logins, ended] of [
    [0.5, 1000, 0],
    [0.02, 400, 100],
    [5e-4, 60, 40],
    [2e-6, 8, 7],
  ] as const) {
    totals.scoreBins[scoreBinOf(score)] = logins;
    incidents[scoreBinOf(score)] = ended;
  }
  const peaks = { counts: incidents, days: 10, scoreMax: 0.05, alertsPerDay: 5 };
  return { ...base, groupPeaks: () => peaks };
}

test("the threshold is dragged, or moved by keyboard, and it is said in words what it would have given", {
  timeout: 120_000,
}, async (t) => {
  const engine = counted(1e-4);
  const { console } = await stage(t, { engine });
  const before = (await get(`${console.url}/api/v1/status`)).body;
  const browser = await startChromium(t);
  for (const scheme of ["light", "dark"] as const) {
    const { page, problems } = await openedPage(t, browser, `${console.url}/#/health`, scheme);
    const said = () => page.locator(".forecast").textContent();
    const slider = page.locator('[role="slider"]');
    await slider.waitFor();
    assert.equal(
      await said(),
      "Now it is 1.0e-4, moved by a budget of 5 alerts a day: 8 of 1,468 logins; 7 groups in 10 days, about 0.7 a day.",
    );
    await expectAccessible(page, `health, ${scheme}`);
    // Taken hold of at one place of the chart, and let go at another.
    const box = (await page.locator(".threshold-chart").boundingBox())!;
    const at = async (): Promise<number> => Number(await slider.getAttribute("aria-valuenow"));
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    const grabbed = await at();
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2, { steps: 5 });
    const left = await at();
    await page.mouse.move(box.x + box.width * 2, box.y, { steps: 5 });
    await page.mouse.up();
    assert.ok(left < grabbed, `${left}, ${grabbed}`);
    // No further than groups are counted.
    assert.equal(await at(), Number(await slider.getAttribute("aria-valuemax")));
    assert.equal(await said(), "Below 5.0e-2: 468 of 1,468 logins; 147 groups in 10 days, about 15 a day.");
    assert.match((await page.textContent("main"))!, /Now it is 1\.0e-4, moved by a budget of 5 alerts a day/);
    await page.mouse.move(box.x + box.width * 0.4, box.y);
    assert.equal(await at(), -12, "it was let go");
    // By keyboard: the chart has the focus already.
    await page.keyboard.press("ArrowLeft");
    assert.equal(await at(), -13);
    await page.keyboard.press("PageDown");
    assert.equal(await at(), -22);
    const text = (await slider.getAttribute("aria-valuetext"))!;
    assert.equal(text, "below 4.1e-3: 68 of 1,468 logins; 47 groups in 10 days, about 4.7 a day");
    await page.keyboard.press("Home");
    assert.equal(await at(), Number(await slider.getAttribute("aria-valuemin")));
    assert.match((await said())!, /: 0 of 1,468 logins; 0 groups in 10 days, none a day/);
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowUp");
    assert.equal(await at(), -12);
    await page.click("summary");
    await expectAccessible(page, `health, moved, ${scheme}`);
    await page.click('button:has-text("Back to where it is")');
    assert.match((await said())!, /^Now it is 1\.0e-4/);
    assert.deepEqual(problems, []);
  }
  // It counts what was, and changes nothing.
  assert.deepEqual((await get(`${console.url}/api/v1/status`)).body, before);
});

test("what is counted meanwhile comes in, and the line that is held stays where it is", {
  timeout: 120_000,
}, async (t) => {
  const engine = counted(0);
  const { console } = await stage(t, { engine });
  const { page, problems } = await openedPage(t, await startChromium(t), `${console.url}/#/health`);
  await page.locator('[role="slider"]').focus();
  const said = () => page.locator(".forecast").textContent();
  assert.match(
    (await page.textContent("main"))!,
    /Now there is none: a budget of 5 alerts a day still learns/,
  );
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  assert.match((await said())!, /^Below 3\.9e-2: 468 of 1,468 logins/);
  engine.totals.scoreBins[scoreBinOf(1e-5)] = 5;
  await until(page, "document.querySelector('.forecast').textContent.includes('473 of 1,473 logins')");
  assert.match((await said())!, /^Below 3\.9e-2/);
  assert.equal(await page.evaluate("document.activeElement.id"), "threshold");
  assert.deepEqual(problems, []);
});
