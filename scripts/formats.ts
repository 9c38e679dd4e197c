/**
 * Writes docs/formats.md from what each format says of itself: `npm run docs`. A test fails while the page is stale.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FORMATS, type Format } from "../src/ingest/formats/index.ts";
import { table } from "./markdown-table.ts";

export const FORMATS_PAGE = join(import.meta.dirname, "..", "docs", "formats.md");

const INTRODUCTION = `# Input formats

What each format reads from where, written by \`npm run docs\` from \`src/ingest/formats/\`. \`input.format\` (\`--format\`) names one; \`auto\`, the
default, recognises each record by itself, so that an input may hold several. A record is a login, evidence of an account at work on a host, ignored
with a reason that is counted, or rejected: a dead letter with its bytes and the reason.

Where a format does not say how strongly a login shows that the account's owner is there, it follows from the protocol: weak by NTLM or Basic, whatever came
of it; strong, unless it failed, by Kerberos, or at the console of the very host; none otherwise.
`;

export function renderFormats(): string {
  const overview = table([
    ["Format", "`--format`", "Recognised by"],
    ...FORMATS.map(({ name, page }) => [
      `[${page.title}](#${anchorOf(page.title)})`,
      `\`${name}\``,
      page.recognisedBy,
    ]),
  ]);
  return [INTRODUCTION, overview, ...FORMATS.map(section)].join("\n");
}

function section({ page }: Format): string {
  const fields = table([["Field", "From"], ...Object.entries(page.fields)]);
  const records = table([["Record", "Becomes"], ...page.records]);
  return `## ${page.title}\n\n${page.about}\n\n${fields}\n${records}`;
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");
}

if (process.argv[1] === import.meta.filename) writeFileSync(FORMATS_PAGE, renderFormats());
