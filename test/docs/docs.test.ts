import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { commands, referencePages } from "../../scripts/reference.ts";
import { SETTINGS } from "../../src/config/load.ts";
import { configSchema } from "../../src/config/schema.ts";
import { PAGES, ROOT, readPage } from "./markdown.ts";

const pages = new Map(PAGES.map((path) => [path, readPage(path)]));
const SHELL = new Set(["", "sh", "bash", "console", "inline"]);
/** A command of oddlink, however it is started, with all that follows it. */
const COMMAND =
  /(?:^|\s)(?:npm run oddlink -- |npx oddlink |oddlink |src\/cli\/main\.ts |dist\/cli\/main\.js )([a-z]+)\b([^#|;&\n]*)/g;

test("every link leads somewhere: to a file that exists, and a heading of it", () => {
  let links = 0;
  const broken: string[] = [];
  for (const { path, links: found } of pages.values()) {
    for (const { url, line } of found) {
      if (/^(https?|mailto):/.test(url)) continue;
      links++;
      const [file = "", anchor] = url.split("#");
      const target = file === "" ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(ROOT, target))) broken.push(`${path}:${line}: ${url}: no such file`);
      else if (anchor !== undefined && target.endsWith(".md")) {
        const { anchors } = pages.get(target) ?? readPage(target);
        if (!anchors.has(anchor)) broken.push(`${path}:${line}: ${url}: no such heading`);
      }
    }
  }
  assert.ok(links > 100);
  assert.deepEqual(broken, []);
});

test("every command in the pages is one of oddlink's, with options that it has", () => {
  const known = new Map(commands().map((command) => [command.name(), command]));
  let found = 0;
  const wrong: string[] = [];
  for (const { path, blocks } of pages.values()) {
    // What a command said of itself, or a change of the past.
    if (path === "docs/cli.md" || path === "CHANGELOG.md") continue;
    for (const { language, text, line } of blocks.filter((block) => SHELL.has(block.language))) {
      const lines = text.replaceAll("\\\n", " ").split("\n");
      // There a release, and a chart, are called oddlink.
      const own = lines.filter((one) => !/^\s*(helm|kubectl) /.test(one)).join("\n");
      for (const [, name, rest] of own.matchAll(COMMAND)) {
        const command = known.get(name!);
        if (command === undefined) {
          wrong.push(`${path}:${line}: there is no command ${name}`);
          continue;
        }
        found++;
        const options = new Set(command.options.flatMap(({ long, short }) => [long, short]));
        for (const [, option] of rest!.matchAll(/(?:^|\s)(--[a-z][a-z-]*)/g))
          if (!options.has(option!) && option !== "--help")
            wrong.push(`${path}:${line}: ${name} has no option ${option} (${language})`);
      }
    }
  }
  assert.ok(found > 40, `${found} commands`);
  assert.deepEqual(wrong, []);
});

test("every piece of a configuration that a page shows is valid", () => {
  const sections = new Set(Object.keys(configSchema.shape));
  let found = 0;
  for (const { path, blocks } of pages.values()) {
    // A piece may speak of what an earlier one of the page has said.
    let said: object = {};
    for (const { language, text, line } of blocks) {
      if (language !== "yaml") continue;
      const settings: unknown = parse(text);
      if (typeof settings !== "object" || settings === null) continue;
      if (!Object.keys(settings).every((key) => sections.has(key))) continue;
      found++;
      said = { ...said, ...settings };
      const { error } = configSchema.safeParse(said);
      assert.equal(error, undefined, `${path}:${line}: ${error?.message}`);
    }
  }
  assert.ok(found >= 5, `${found} pieces`);
});

/** What names the file of settings; what Kubernetes sets for a service, and a page warns of. */
const NO_SETTINGS = new Set(["ODDLINK_CONFIG", "ODDLINK_SERVICE_HOST"]);

test("every setting that a page names by its variable exists", () => {
  const variables = new Set(SETTINGS.map(({ variable }) => variable));
  for (const path of PAGES) {
    if (path === "CHANGELOG.md") continue;
    for (const [name] of readFileSync(join(ROOT, path), "utf8").matchAll(/\bODDLINK_[A-Z_]+[A-Z]\b/g))
      assert.ok(variables.has(name) || NO_SETTINGS.has(name), `${path}: ${name}`);
  }
});

test("the pages on commands, topics and schemas say what the code says; `npm run docs` writes them", () => {
  for (const [file, text] of referencePages())
    assert.equal(readFileSync(join(ROOT, "docs", file), "utf8"), text, file);
});

test("the index of the documentation names every page", () => {
  const named = new Set(
    pages.get("docs/README.md")!.links.map(({ url }) => normalize(join("docs", url.split("#")[0]!))),
  );
  const missing = PAGES.filter(
    (path) => path.startsWith("docs/") && path !== "docs/README.md" && !named.has(path),
  );
  assert.deepEqual(missing, []);
});
