import { Command, Option } from "commander";
import { OddlinkError } from "../errors.ts";
import type { Decoded } from "../ingest/decoded.ts";
import { createDecoder, FORMAT_NAMES, type Format, recogniser } from "../ingest/formats/index.ts";
import type { Login } from "../ingest/login.ts";
import { unreadable } from "../ingest/unreadable.ts";
import { EmbeddedLog } from "../log/embedded/embedded-log.ts";
import { type CommonFlags, configOf, numberOf } from "./options.ts";
import { findSourcesBeside } from "./own-files.ts";
import { openResolution, resolutionLines } from "./resolution.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { nameText, sentenceText } from "./terminal/outside-text.ts";

const RECORDS_SHOWN = 2;
/** Of a record that is shown, characters. */
const RECORD_LENGTH_MAX = 200;
const wholeNumber = new Intl.NumberFormat("en-US");

/** Columns of a login, by what the pages of formats call them. */
const FIELDS: readonly (readonly [page: string, text: (login: Login) => string])[] = [
  ["time", ({ timeMs }) => new Date(timeMs).toISOString()],
  ["user", ({ user }) => user],
  ["target user", ({ targetUser }) => targetUser],
  ["source host", ({ sourceHost }) => sourceHost],
  ["target host", ({ targetHost }) => targetHost],
  ["auth type", ({ authType }) => authType],
  ["logon type", ({ logonType }) => logonType],
  ["outcome", ({ outcome }) => outcome],
  ["evidence", ({ evidence }) => evidence],
  ["uid", ({ uid }) => uid ?? ""],
];

type IngestFlags = Pick<CommonFlags, "format" | "config"> & {
  readonly explain?: true;
  readonly records: number;
};

export function ingestCommand(output: StandardOutput): Command {
  return new Command("ingest")
    .description("Say what is read of records, from where, and why some are no logins. Nothing is kept.")
    .argument("<source...>", "file or directory, plain or gzip; - for standard input")
    .option("--explain", "what is done; has to be said")
    .option("--records <n>", "records shown of each kind and reason", numberOf, RECORDS_SHOWN)
    .addOption(
      new Option("--format <name>", "input format; auto recognises each record").choices(FORMAT_NAMES),
    )
    .option("--config <file>", "configuration file (YAML), for formats of your own: docs/formats.md")
    .addHelpText(
      "after",
      `
Examples:
  oddlink ingest --explain security.jsonl
  oddlink ingest --explain vpn.jsonl.gz --config vpn.yaml --records 5`,
    )
    .action((args: string[], flags: IngestFlags) => run(args, flags, output));
}

async function run(args: readonly string[], flags: IngestFlags, output: StandardOutput): Promise<void> {
  if (!flags.explain) throw new OddlinkError("USAGE", "say what is to be done: --explain");
  const { records: shownMax, ...common } = flags;
  const config = configOf(common);
  const { input } = config;
  if (input.format === "avro")
    throw new OddlinkError("USAGE", "Avro records have no line ends: only workers on Kafka read them");
  const resolution = await openResolution(config);
  const sources = await findSourcesBeside(args, { written: [], read: [] }, (path) =>
    process.stderr.write(`skipped ${sentenceText(path)}: it does not look like a log\n`),
  );
  const log = await EmbeddedLog.open({ sources, recordBytesMax: input.recordBytesMax });
  const recognise = recogniser(input.format, input);
  let isRead = false;
  const counts = new Map<string, number>();
  const formats = new Map<string, number>();
  try {
    await stoppable(async (signal) => {
      for await (const { topic, batches, release } of log.assignments(signal)) {
        const decoder = resolution.wrap(createDecoder(input.format, input));
        let line = 0;
        for await (const batch of batches) {
          if (signal.aborted) break;
          for (let i = 0; i < batch.length; i++) {
            line++;
            const [bytes, start, end] = [batch.bufferOf(i), batch.starts[i]!, batch.ends[i]!];
            if (start === end) continue;
            const sound = { cutFrom: batch.cutFrom(i), isSound: batch.isUtf8 };
            const decoded = unreadable(bytes, start, end, sound) ?? decoder.decode(bytes, start, end);
            const format = recognise(bytes, start, end);
            const kind = kindOf(decoded);
            const count = (counts.get(kind) ?? 0) + 1;
            counts.set(kind, count);
            const name = format?.name ?? "none";
            formats.set(name, (formats.get(name) ?? 0) + 1);
            if (count > shownMax) continue;
            const head = `${sentenceText(topic)}, line ${wholeNumber.format(line)}: ${name}, ${textOfKind(decoded)}`;
            output.write(`${head}\n${explained(decoded, format, bytes.toString("utf8", start, end))}\n`);
          }
        }
        release();
      }
    });
    isRead = true;
  } finally {
    // Of what was read before an input turned out to be cut off, too.
    if (isRead || counts.size > 0) {
      const lines = [summary(counts, formats), ...resolutionLines(resolution.counts())];
      output.write(`${lines.join("\n")}\n`);
    }
    await log.close();
  }
}

function kindOf(decoded: Decoded): string {
  const isNone = decoded.kind === "ignored" || decoded.kind === "rejected";
  return isNone ? `${decoded.kind}: ${decoded.reason}` : decoded.kind;
}

function textOfKind(decoded: Decoded): string {
  return decoded.kind === "rejected"
    ? `${kindOf(decoded)}, ${sentenceText(decoded.detail)}`
    : kindOf(decoded);
}

/** The record, and of a login what each field says and where it comes from. */
function explained(decoded: Decoded, format: Format | undefined, record: string): string {
  const lines = [`  ${sentenceText(record, RECORD_LENGTH_MAX)}`];
  if (decoded.kind === "login" || decoded.kind === "evidence") {
    const login = decoded.login.toLogin();
    for (const [name, textOf] of FIELDS) {
      const text = textOf(login);
      const from = format?.page.fields[name];
      lines.push(
        `  ${name.padEnd(11)}  ${text === "" ? "-" : nameText(text)}${from === undefined ? "" : `  from ${from}`}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

function summary(counts: ReadonlyMap<string, number>, formats: ReadonlyMap<string, number>): string {
  const list = (map: ReadonlyMap<string, number>): string =>
    [...map]
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
      .map(([name, count]) => `${name} ${wholeNumber.format(count)}`)
      .join(", ");
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return "The input holds no records.";
  return `Records  ${wholeNumber.format(total)}: ${list(counts)}\nFormats  ${list(formats)}`;
}
