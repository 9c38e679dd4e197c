import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { EXAMPLE_FILE } from "../processes/oddlink.ts";
import { startChromium } from "./chromium.ts";
import { expectPrivate, look, opened, SCHEMES, served } from "./served-page.ts";

async function openModel(page: Page): Promise<void> {
  await page.click('nav a[href="#/model"]');
  await drawn(page);
}

/** The map is there. */
async function drawn(page: Page): Promise<void> {
  await page.waitForSelector('.map[aria-busy="false"] .embedding-map .point', { timeout: 60_000 });
}

test("the model of the example: its epochs, what the gate found, and a map that leads to an account; in light and dark", {
  timeout: 240_000,
}, async (t) => {
  const { url } = await served(t, EXAMPLE_FILE);
  const browser = await startChromium(t);
  for (const scheme of SCHEMES) {
    const { page, problems, requests } = await opened(t, browser, url, scheme);
    await openModel(page);
    const rows = page.locator(".epochs tbody tr");
    assert.equal(await rows.count(), 3);
    assert.match((await rows.nth(0).textContent())!, /^Show epoch 3in force/);
    assert.match((await rows.nth(1).textContent())!, /^Show epoch 2replaced/);
    for (const expected of [
      /Epoch 3 is in force\. It was trained on 3,404 links of 1,579 accounts and hosts/,
      /Began fromepoch 2/,
      /let through No worse than epoch 2 on 340 unseen links/,
      /which may be chance/,
      /one in 1,000/,
      /1,500 of 1,579 are drawn/,
    ])
      assert.match((await page.textContent("main"))!, expected);
    assert.equal(await page.locator(".embedding-map .point").count(), 1500);
    assert.ok((await page.locator(".clusters tbody tr").count()) >= 2);
    await look(page, "model", scheme, true);
    // Another epoch is shown in the place of the one in force.
    await rows.nth(2).locator("button").click();
    assert.match((await page.textContent("#epoch-title"))!, /Epoch 1, replaced/);
    assert.match(
      (await page.textContent(".epoch"))!,
      /the first epoch: there is nothing to compare it with/i,
    );
    // By alerts, one cluster picked out: who is looked for tells his name, and leads to his page.
    await page.check('input[value="alerts"]');
    assert.equal(await page.locator(".embedding-map.by-alerts").count(), 1);
    await page.locator(".clusters button.choice").first().click();
    assert.ok((await page.locator(".point.faint").count()) > 0);
    // Of all that is drawn the one with the most alerts lies on top.
    const odd = page.locator(".point").last();
    await odd.hover();
    assert.match(
      (await page.textContent(".readout"))!,
      /^U748@DOM1 account, cluster \d, 8 alerts, [\d,]+ logins$/,
    );
    assert.equal(await page.textContent(".embedding-map .tag"), "U748@DOM1");
    await odd.click();
    await page.waitForSelector("#entity-name");
    assert.equal(await page.textContent("h2"), "U748@DOM1");
    assert.deepEqual(problems, []);
    expectPrivate(requests, url, /C17693|U748/);
  }
});

test("the map goes by keyboard from point to point, and opens one", { timeout: 180_000 }, async (t) => {
  const { url } = await served(t, EXAMPLE_FILE);
  const { page, problems } = await opened(t, await startChromium(t), url);
  await openModel(page);
  await page.focus('.tools button:has-text("Whole map")');
  await page.keyboard.press("Tab");
  const told = async (): Promise<string> => (await page.textContent(".readout .name"))!;
  const first = await told();
  assert.equal(first, "U748@DOM1");
  for (const key of ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown", "ArrowLeft"])
    await page.keyboard.press(key);
  const name = await told();
  assert.notEqual(name, first);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#entity-name");
  assert.equal(await page.textContent("h2"), name);
  await page.goBack();
  await drawn(page);
  // The same for who does not look: each point is a row, with who is closest to it.
  await page.click(".map summary");
  // The table is made as the element tells that it was opened, which comes after the click.
  await page.waitForSelector(".map details tbody tr");
  assert.equal(await page.locator(".map details tbody tr").count(), 1500);
  assert.deepEqual(problems, []);
});

test("before there is an epoch the view says so", { timeout: 120_000 }, async (t) => {
  const { url } = await served(t, EXAMPLE_FILE, { ODDLINK_TRAINING_MODE: "off" });
  const { page, problems } = await opened(t, await startChromium(t), url);
  await page.click('nav a[href="#/model"]');
  await page.waitForSelector("#model-title");
  assert.match((await page.textContent("main"))!, /No epoch has been trained yet/);
  assert.deepEqual(problems, []);
});

const HOSTILE = [
  '<script>document.title="owned"</script>',
  '"><img src=x onerror=alert(1)>',
  "\u202egnp.exe",
  "x".repeat(250),
  "",
];
const GATE = {
  isAccepted: false,
  reason: "worse <b>by far</b>",
  running: 1,
  links: 50,
  aucByFake: { target: { running: 0.8, candidate: 0.4 } },
  difference: -0.4,
  standardError: 0.01,
  drift: [{ probability: 0.01, links: 50, running: 1, candidate: 30 }],
};
const EPOCH = { digest: "0".repeat(12), adoptedAtMs: null, rolledBack: null, training: null, gate: null };
const KNOWN = [
  { ...EPOCH, number: 4, state: "inForce", rolledBack: { from: 3, to: 1, reason: "too many incidents" } },
  { ...EPOCH, number: 3, state: "rolledBack" },
  { ...EPOCH, number: 2, state: "rejected", gate: GATE },
  { ...EPOCH, number: 1, state: "replaced" },
];

test("epochs that were rejected or taken back say why, names are text, and a newer epoch is told of", {
  timeout: 120_000,
}, async (t) => {
  const { url } = await served(t, EXAMPLE_FILE, { ODDLINK_TRAINING_MODE: "off" });
  const { page, problems } = await opened(t, await startChromium(t), url);
  let epochs: readonly object[] = KNOWN;
  let isBroken = true;
  await page.route("**/api/v1/model", (route) => route.fulfill({ json: { inForce: 4, epochs } }));
  await page.route("**/api/v1/model/map", (route) => {
    if (isBroken) return route.fulfill({ status: 503, json: { error: "the graph is being built anew" } });
    const points = HOSTILE.map((name, i) => ({
      ...{ kind: i % 2 === 0 ? "user" : "host", name, x: i / HOSTILE.length, y: 0.3 },
      ...{ cluster: i, alerts: i * 4, logins: 1 },
    }));
    return route.fulfill({
      json: { epoch: { number: 4, digest: "0" }, entities: 5, clusters: HOSTILE.length, points },
    });
  });
  await page.click('nav a[href="#/model"]');
  await page.waitForSelector('.map [role="alert"]:has-text("built anew")');
  isBroken = false;
  await page.click('.map button:has-text("Try again")');
  await page.waitForSelector('.map[aria-busy="false"] .embedding-map .point');
  const details = async (row: number): Promise<string> => {
    await page.locator(".epochs tbody button").nth(row).click();
    return (await page.textContent(".epoch"))!;
  };
  assert.match(
    await details(0),
    /It is what epoch 1 was, and came in the place of epoch 3: too many incidents\./,
  );
  assert.match(await details(1), /Epoch 3, taken back/);
  const rejected = await details(2);
  assert.match(rejected, /rejected Worse <b>by far<\/b>\./);
  assert.match(
    rejected,
    /40\.0 percentage points less often than epoch 1 \(standard error 1\.0\), which is beyond chance/,
  );
  assert.match(rejected, /one in 10013050about 0\.5/);
  await page.click(".map summary");
  assert.doesNotMatch((await page.textContent("main"))!, /\u202e/);
  for (const point of await page.locator(".point").all()) await point.hover();
  assert.equal(await page.locator("main script, main img, main b").count(), 0);
  assert.doesNotMatch(await page.title(), /owned/);
  epochs = [{ ...EPOCH, number: 5, state: "shadow" }, ...KNOWN];
  await page.click('button:has-text("Show it as it is now")');
  await page.waitForSelector(".state.shadow");
  // A browser notes an answer of 503 by itself.
  assert.deepEqual(
    problems.filter((one) => !/status of 503/.test(one)),
    [],
  );
});
