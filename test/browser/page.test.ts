import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { EXAMPLE_FILE, temporaryFolder } from "../processes/oddlink.ts";
import { startChromium } from "./chromium.ts";
import { expectPrivate, look, opened, SCHEMES, served } from "./served-page.ts";

/** The graph is drawn with all that was asked for. */
async function drawn(page: Page): Promise<void> {
  await page.waitForSelector('.graph[aria-busy="false"] .node');
}

test("an investigation of the example: the incident, its graph, a neighbour, the account, the scores; in light and dark", {
  timeout: 240_000,
}, async (t) => {
  const { url } = await served(t, EXAMPLE_FILE);
  const browser = await startChromium(t);
  for (const scheme of SCHEMES) {
    const { page, problems, requests } = await opened(t, browser, url, scheme);
    await look(page, "incidents", scheme);
    await page.click("table.incidents tbody a");
    await drawn(page);
    assert.match((await page.textContent("h2"))!, /U748@DOM1 used from C17693/);
    const text = (await page.textContent("main"))!;
    for (const expected of [
      /Account that actsU748@DOM1/,
      /FromC17693/,
      /never with strong evidence/,
      /Nearest normal loginU748@DOM1 from C\d+ to C4280 by Kerberos/,
      /Likeliest source host of the account, for the graph modelC151/,
      /source host with target host: never/,
      /Ask the owner of U748@DOM1/,
    ])
      assert.match(text, expected);
    await look(page, "incident", scheme, true);
    // A neighbour is expanded, and its page opened.
    const before = await page.locator(".login-graph .node").count();
    const neighbour = page.locator('.login-graph .node[aria-label^="host C2677"]');
    await neighbour.click();
    await drawn(page);
    assert.ok((await page.locator(".login-graph .node").count()) > before);
    await page.click('.facts button.link:has-text("C17693")');
    // The incident has captions too: what tells the view is its form.
    await page.waitForSelector("#entity-name");
    assert.equal(await page.textContent("h2"), "C17693");
    await look(page, "entity", scheme);
    // No name of anybody is in an address, and going back finds what was there.
    assert.doesNotMatch(page.url(), /C17693|U748/);
    await page.goBack();
    await page.waitForSelector(".reasons li");
    await page.click('nav a[href="#/health"]');
    await page.waitForSelector(".histogram");
    await page.locator("#threshold").press("End");
    assert.match(
      (await page.textContent(".forecast"))!,
      /^Below 5\.0e-2: [\d,]+ of 5,\d+ logins; \d+ groups? in /,
    );
    await look(page, "health", scheme);
    assert.deepEqual(problems, []);
    expectPrivate(requests, url, /U748|C17693/);
  }
});

test("all of it can be done by keyboard", { timeout: 180_000 }, async (t) => {
  const { url } = await served(t, EXAMPLE_FILE, { ODDLINK_TRAINING_MODE: "off" });
  const { page, problems } = await opened(t, await startChromium(t), url);
  const tabTo = async (selector: string): Promise<void> => {
    for (let i = 0; i < 150; i++) {
      if (
        await page
          .locator(selector)
          .first()
          .evaluate((one) => one === one.ownerDocument.activeElement)
      )
        return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`${selector} can't be reached by Tab`);
  };
  await tabTo("table.incidents tbody a");
  await page.keyboard.press("Enter");
  await drawn(page);
  const before = await page.locator(".login-graph .node").count();
  await tabTo('.login-graph .node[aria-label^="host C2677"]');
  await page.keyboard.press("Enter");
  await drawn(page);
  assert.ok((await page.locator(".login-graph .node").count()) > before);
  // The focus is where it was, on the node that was expanded.
  const focused = page.locator(".login-graph .node:focus");
  assert.match((await focused.getAttribute("aria-label"))!, /^host C2677/);
  await tabTo(".login-graph .node.user");
  await page.keyboard.press("e");
  await page.waitForSelector("#entity-name");
  await tabTo("#entity-name");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("U66@DOM1");
  await page.keyboard.press("Enter");
  await page.waitForSelector('h2:has-text("U66@DOM1")');
  assert.deepEqual(problems, []);
});

/** What somebody may call himself, and his machine. */
const HOSTILE = [
  '<script>document.title="owned"</script>',
  '"><img src=x onerror=alert(1)>',
  "\u202egnp.exe",
  "💥👩‍👩‍👧\u0000x",
  "x".repeat(250),
  "__proto__",
];

test("names from outside are text, whatever they are", { timeout: 180_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const lines: string[] = [];
  const login = (timeMs: number, more: object): void => void lines.push(JSON.stringify({ timeMs, ...more }));
  for (const [i, name] of HOSTILE.entries()) {
    // The owner shows himself on hosts of his own for days, and then somebody comes from another one, by NTLM.
    for (let n = 0; n < 60; n++)
      login(n * 3_600_000 + i, {
        user: name,
        sourceHost: `home${i}`,
        targetHost: "srv",
        authType: "Kerberos",
        outcome: "success",
      });
    login(60 * 3_600_000 + i, {
      user: name,
      sourceHost: `${name.slice(0, 200)} host`,
      targetHost: `${name.slice(0, 200)} target`,
      authType: "NTLM",
      outcome: "success",
    });
  }
  const file = join(folder, "logins.jsonl");
  const sorted = lines.toSorted((a, b) => JSON.parse(a).timeMs - JSON.parse(b).timeMs);
  writeFileSync(file, `${sorted.join("\n")}\n`);
  const { url } = await served(t, file, { ODDLINK_TRAINING_MODE: "off" });
  const { page, problems } = await opened(t, await startChromium(t), url);
  let dialogs = 0;
  page.on("dialog", (dialog) => {
    dialogs++;
    void dialog.dismiss();
  });
  const links = page.locator("table.incidents tbody a");
  assert.equal(await links.count(), HOSTILE.length);
  for (let i = 0; i < HOSTILE.length; i++) {
    await page.goto(`${url}/#/incidents`);
    await links.nth(i).click();
    await drawn(page);
    // Nothing that turns the text around, or can't be seen, is left of them.
    assert.doesNotMatch((await page.textContent("main"))!, /[\u202e\u0000]/);
    await page.locator(".facts button.link").first().click();
    await page.waitForSelector("#entity-name");
  }
  assert.equal(await page.locator("main script, main img").count(), 0);
  assert.doesNotMatch(await page.title(), /owned/);
  assert.equal(dialogs, 0);
  assert.deepEqual(problems, []);
});

test("a page that needs a token asks for it, and a wrong one is refused", { timeout: 180_000 }, async (t) => {
  const token = "0123456789abcdef";
  const { url } = await served(t, EXAMPLE_FILE, { ODDLINK_HTTP_TOKEN: token, ODDLINK_TRAINING_MODE: "off" });
  const browser = await startChromium(t);
  const page = await browser.newPage();
  for (const given of ["wrong", token]) {
    await page.goto(url);
    await page.fill("#token", given);
    await page.keyboard.press("Enter");
    await page.waitForLoadState();
    if (given === "wrong") await page.waitForSelector("#token");
  }
  await page.waitForSelector("table.incidents tbody a");
  assert.doesNotMatch(page.url(), new RegExp(token));
});
