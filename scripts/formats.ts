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

/** A test reads it as the program would. */
export const EXAMPLE_MAPPING = `input:
  mappings:
    - name: vpn
      where:
        - { path: product, is: [acme-vpn] }
      logins:
        - { path: event.action, is: [connect, refuse] }
      fields:
        time: { path: ts, format: seconds }
        user: { path: account.name, domain: account.realm }
        sourceHost: { path: [device.name, client.ip] }
        targetHost: { constant: vpn }
        authType: { path: method }
        outcome: { path: event.action, values: { connect: success, refuse: failure } }
        evidence: { path: mfa, values: { "true": strong }, otherwise: none }
        uid: id
`;

const OWN_FORMAT = `## A format of your own

JSON records that none of these reads are described in the file that \`--config\` names, and checked before anything starts:

\`\`\`yaml
${EXAMPLE_MAPPING}\`\`\`

\`where\` says what all records of the format have; \`logins\` which of them are logins (all, if it is left out), \`evidence\` which of the others show an
account at work on its source host; what is left is ignored: not-a-login. A path is keys with dots between them, nested or written as one key, in letters
of any case, and places of lists in brackets (\`target[0].name\`); of several paths the first that says something counts. A field is a path, \`{ constant: TEXT }\`, or \`{ path, as, domain, values, otherwise }\`:
\`as\` is \`account\` (\`DOMAIN\\name\` and \`name@domain\` come to the same), \`host\` (the first label, in small letters; addresses as they are), \`small\` (letters) or \`text\`,
by the field if it is left out; \`values\` says what each text stands for, \`otherwise\` all others. Times are \`iso\` (without a zone UTC),
\`seconds\` or \`milliseconds\`. \`--format mapped\` reads these formats only; \`auto\` tries them first.
`;

const RESOLUTION = `## Addresses and aliases

Many sources know a host by its address, or a person by several names. Two tables give the name that the graph is to know, \`hosts\` for source and target
host, \`users\` for user and target user; what is in no table stays as it is:

\`\`\`yaml
input:
  resolution:
    hosts: { file: hosts.csv } # columns from and to: 10.0.0.7,pc7
    users: { topic: identities } # compacted: key ann@corp.example, value ann@corp
\`\`\`

A file is read at start. A topic is followed by what reads Kafka (\`run --kafka\`, \`normalize\`): new names hold for logins that are read from then on, a
record without a value takes a name away. Tables are bounded (\`entriesMax\`), letters of any case are the same, and runs end with how many names were found.
\`oddlink ingest --explain\` shows the names that come out. Who turns a table on, or changes many of its names, makes hosts new to the graph: expect odd
logins until the window knows them.
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
  return [INTRODUCTION, overview, OWN_FORMAT, RESOLUTION, ...FORMATS.map(section)].join("\n");
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
