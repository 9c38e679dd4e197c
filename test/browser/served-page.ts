import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { ended, start } from "../processes/oddlink.ts";
import { expectAccessible, type OpenedPage, openedPage } from "./console-page.ts";

const IMAGES = join(import.meta.dirname, "..", "..", "docs", "images");
/** Set to take the pictures of the docs anew. */
const TAKES_PICTURES = process.env["TAKE_PICTURES"] === "1";
const PICTURE = { type: "jpeg", quality: 70 } as const;
export const SCHEMES = ["light", "dark"] as const;
const READY_MS_MAX = 90_000;

/**
 * A run that is served until the test is over.
 *
 * @param input what it gets on standard input, which stays open; it is not read to its end then
 */
export async function served(
  t: TestContext,
  source: string,
  env: Record<string, string> = {},
  input?: string,
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
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
  if (input !== undefined) child.stdin!.write(input);
  const until = input === undefined ? /all is read/ : /http: http/;
  for (const deadlineMs = performance.now() + READY_MS_MAX; !until.test(said); await sleep(50))
    assert.ok(performance.now() < deadlineMs && child.exitCode === null, said);
  return { url: /http: (http:\/\/127\.0\.0\.1:\d+)/.exec(said)![1]!, child };
}

/** The list of its incidents, of which there is one at least. */
export async function opened(
  t: TestContext,
  browser: Browser,
  url: string,
  colorScheme: "light" | "dark" = "light",
): Promise<OpenedPage> {
  const found = await openedPage(t, browser, url, colorScheme);
  await found.page.waitForSelector("table.incidents tbody td");
  return found;
}

/** Nothing was loaded from elsewhere, and no name of anybody is in an address. */
export function expectPrivate(requests: readonly string[], url: string, names: RegExp): void {
  assert.deepEqual(
    requests.filter((one) => !one.startsWith(url) && !one.startsWith("data:")),
    [],
    "nothing is loaded from elsewhere",
  );
  assert.deepEqual(
    requests.filter((one) => names.test(one)),
    [],
  );
}

/** Of a view as it is now. @param of what is to be seen: the part on the screen, all of it, or what a selector names */
export async function takePicture(page: Page, name: string, scheme: string, of: string): Promise<void> {
  if (!TAKES_PICTURES) return;
  const path = join(IMAGES, `${name}-${scheme}.jpg`);
  if (of === "screen" || of === "all") await page.screenshot({ ...PICTURE, path, fullPage: of === "all" });
  else await page.locator(of).screenshot({ ...PICTURE, path });
}

/** A view as it is now has nothing that keeps anybody out; its picture is taken if that is asked for. */
export async function look(page: Page, view: string, scheme: string, isWhole = false): Promise<void> {
  await expectAccessible(page, `${view}, ${scheme}`);
  await takePicture(page, view, scheme, isWhole ? "all" : "screen");
}
