import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { TestContext } from "node:test";
import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const INSTALL_MS_MAX = 300_000;

/**
 * A real Chromium, gone after the test.
 *
 * @throws {Error} with one line on what to install if there is none, and it can't be installed here
 */
export async function startChromium(t: Pick<TestContext, "after">): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: installed(), args: ["--no-sandbox"] });
  t.after(() => browser.close());
  return browser;
}

function installed(): string {
  const there = process.env["CHROMIUM"] ?? PLACES.find((place) => existsSync(place));
  if (there !== undefined) return there;
  const isRoot = process.getuid?.() === 0;
  const install = ["install", "-y", "--no-install-recommends", "chromium"];
  if (isRoot) spawnSync("apt-get", install, { timeout: INSTALL_MS_MAX });
  const place = PLACES.find((one) => existsSync(one));
  if (place === undefined)
    throw new Error(
      "Chromium was not found: the tests of the page need it (Debian: apt install chromium; else set CHROMIUM to its path)",
    );
  return place;
}
