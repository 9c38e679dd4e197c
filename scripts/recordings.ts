/**
 * Plays recordings of attacks through `oddlink run` and writes what came of it into docs/recordings.md.
 *
 *   node scripts/recordings.ts FOLDER...
 *
 * A folder (or a file of it) holds `*.jsonl.gz`, a line for each event: `{dataset, event}` or `{source, file, event}`, data set and file
 * being the recording. Each recording is a run of its own, its events in order of time, with default settings; then all of a
 * source together. No setting of the caller's environment counts.
 */
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { DetectionFinding } from "../src/alerts/detection-finding.ts";
import type { RunSummary } from "../src/cli/terminal/summary.ts";
import { loadConfig } from "../src/config/load.ts";
import { createDecoder } from "../src/ingest/formats/index.ts";
import { at, isObject, type JsonObject } from "../src/ingest/formats/json-format.ts";
import type { Login } from "../src/ingest/login.ts";
import { isoTimeMs, textOf } from "../src/ingest/names.ts";
import { table } from "./markdown-table.ts";

const ROOT = join(import.meta.dirname, "..");
const PAGE = join(ROOT, "docs", "recordings.md");
const BEGIN = "<!-- written by scripts/recordings.ts from here -->";
const END = "<!-- to here -->";
const MS_PER_MINUTE = 60_000;
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 86_400_000;
/** As the format reads them. */
const TIME_KEYS = ["TimeCreated", "@timestamp", "TimeCreatedUtc", "TimeGenerated"];
/** Recordings of one source lie years apart, which by default is taken for a clock gone wrong. */
const ANY_GAP = { ODDLINK_WINDOW_MAXJUMPDAYS: "36500" };
const ALERTS_NAMED_MAX = 5;
/** What volume learns from before it says anything; see docs/detection.md. */
const VOLUME_LOGINS = 200;

const config = loadConfig({ environment: {}, flags: {} });
const { learnHours, learnRecords } = config.presence;
const { learnLogins, calibrationDays } = config.surprise;

type Recording = { readonly name: string; readonly events: readonly JsonObject[] };
type Source = { readonly title: string; readonly recordings: readonly Recording[] };

/** What `oddlink run` said and wrote. */
type Played = {
  readonly summary: RunSummary;
  readonly findings: readonly DetectionFinding[];
  /** Logins of which some signal said something. */
  readonly judged: number;
  /** Why it ended with an error; empty if it did not. */
  readonly error: string;
};

/** What the records hold, decoded once more to tell why a run could say something of them or not. */
type Content = {
  readonly logins: readonly Login[];
  readonly seen: readonly Login[];
  readonly remote: readonly Login[];
  readonly lastsMs: number;
};

function sourcesOf(paths: readonly string[]): readonly Source[] {
  const recordings = new Map<string, Map<string, JsonObject[]>>();
  for (const file of paths.flatMap(filesAt)) {
    const lines = gunzipSync(readFileSync(file))
      .toString()
      .split("\n")
      .filter((line) => line !== "");
    const records = lines.map((line): unknown => JSON.parse(line)).filter(isObject);
    const isDataset = records.some((record) => "dataset" in record);
    const title = isDataset
      ? "OTRF Security-Datasets"
      : [...new Set(records.map((record) => textOf(record["source"])))].sort().join(", ");
    const ofSource = recordings.get(title) ?? new Map<string, JsonObject[]>();
    recordings.set(title, ofSource);
    for (const record of records) {
      const event = record["event"];
      const name = textOf(record["dataset"]) || textOf(record["file"]);
      if (!isObject(event) || name === "") continue;
      ofSource.set(name, [...(ofSource.get(name) ?? []), event]);
    }
  }
  return [...recordings].map(([title, ofSource]) => ({
    title,
    recordings: [...ofSource]
      .map(([name, events]) => ({ name: shortName(name), events: inOrder(events) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
}

function filesAt(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((file) => file.endsWith(".jsonl.gz"))
    .map((file) => join(path, file));
}

/** Without what all names of a source have in common. */
function shortName(name: string): string {
  return name
    .replace(/^atomic\/windows\//, "")
    .replace("/host/", "/")
    .replace(/\.(?:zip|tar\.gz|evtx)$/, "");
}

function inOrder(events: readonly JsonObject[]): readonly JsonObject[] {
  return events.toSorted((a, b) => timeOf(a) - timeOf(b));
}

function timeOf(event: JsonObject): number {
  return isoTimeMs(TIME_KEYS.map((key) => textOf(at(event, key))).find((text) => text !== ""));
}

/** Runs `oddlink` as a user would, in a folder that is gone afterwards. */
function play(events: readonly JsonObject[], settings: Readonly<Record<string, string>> = {}): Played {
  const folder = mkdtempSync(join(tmpdir(), "recordings-"));
  try {
    const [input, alerts, scored] = ["events.jsonl", "alerts.jsonl", "scored.jsonl"].map((file) =>
      join(folder, file),
    ) as [string, string, string];
    writeFileSync(input, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("ODDLINK_"));
    const ran = spawnSync(
      process.execPath,
      [join(ROOT, "src", "cli", "main.ts"), "run", input, "--json", "--alerts", alerts, "--scored", scored],
      { env: { ...Object.fromEntries(own), ...settings }, encoding: "utf8" },
    );
    const summary = JSON.parse(ran.stdout) as RunSummary;
    const error =
      ran.status === 0 ? "" : /[\d,]+ of [\d,]+ records could not be read[^.]*/.exec(ran.stderr)?.[0];
    if (error === undefined) throw new Error(ran.stderr);
    const judged = linesOf(scored)
      .map((line) => JSON.parse(line) as { readonly signals: Readonly<Record<string, number | null>> })
      .filter(({ signals }) => Object.values(signals).some((p) => p !== null && p < 1)).length;
    const findings = linesOf(alerts).map((line) => JSON.parse(line) as DetectionFinding);
    return { summary, findings, judged, error };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function linesOf(path: string): readonly string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

function contentOf(events: readonly JsonObject[]): Content {
  const decoder = createDecoder(config.input.format, config.input);
  const logins: Login[] = [];
  const evidence: Login[] = [];
  const uids = new Set<string>();
  for (const event of events) {
    const bytes = Buffer.from(JSON.stringify(event));
    const decoded = decoder.decode(bytes, 0, bytes.length);
    if (decoded.kind !== "login" && decoded.kind !== "evidence") continue;
    const login = decoded.login.toLogin();
    // Some events are in a recording twice.
    if (login.uid !== undefined && uids.has(login.uid)) continue;
    if (login.uid !== undefined) uids.add(login.uid);
    (decoded.kind === "login" ? logins : evidence).push(login);
  }
  const times = events.map(timeOf).filter((timeMs) => !Number.isNaN(timeMs));
  return {
    logins,
    seen: [...logins, ...evidence],
    remote: logins.filter(({ sourceHost, targetHost }) => sourceHost !== "" && sourceHost !== targetHost),
    lastsMs: times.length === 0 ? 0 : times.at(-1)! - times[0]!,
  };
}

/** Why a recording by itself could not lead to more. */
function whyNot({ summary, error }: Played, content: Content): string {
  const { logins, remote } = content;
  const reasons = error === "" ? [] : [`ended with an error: ${error}`];
  const failed = summary.ignoredReasons["failed-request"] ?? 0;
  if (failed > 0) reasons.push(`failed Kerberos requests, which are ignored: ${failed}`);
  if (logins.length === 0) reasons.push("no login in it");
  else if (remote.length === 0) reasons.push("no login from another host in it");
  else if (!hasPast(content)) reasons.push("too short to have a past");
  return reasons.join("; ");
}

/** Whether any signal can say something of any of the logins. */
function hasPast(content: Content): boolean {
  const isSurprising =
    mostBefore(content.logins) >= learnLogins && mostBefore(content.remote) >= learnLogins / 2;
  return isSurprising || mostBefore(content.remote) >= VOLUME_LOGINS || withPast(content) > 0;
}

function alertsText({ findings }: Played, recordingOf: (uid: string) => string | undefined): string {
  const texts = findings.map(({ evidences: [evidence], finding_info, metadata }) => {
    const user = evidence.actor?.user.name ?? evidence.user?.name ?? "?";
    const [from, to] = [evidence.src_endpoint?.name ?? "?", evidence.dst_endpoint?.name ?? "?"];
    const recording = recordingOf(metadata.original_event_uid);
    const where = recording === undefined ? "" : ` (${recording})`;
    return `${finding_info.analytic.name}: ${user} from ${from} to ${to}${where}`;
  });
  const named = [...new Set(texts)].slice(0, ALERTS_NAMED_MAX);
  return texts.length === 0 ? "0" : `${texts.length}: ${named.join("; ")}`.replaceAll("|", "\\|");
}

function countsOf({ summary, judged }: Played): readonly string[] {
  const { read, scored, evidence, ignored, rejected, duplicate } = summary;
  return [read, scored, evidence, ignored, rejected, duplicate, judged].map(String);
}

const COUNTED = ["Records", "Logins", "Evidence", "Ignored", "Rejected", "Duplicate", "Judged"];

function sectionOf({ title, recordings }: Source): string {
  const rows = recordings.map(({ name, events }) => {
    const content = contentOf(events);
    const played = play(events);
    return { name, content, played };
  });
  const one = table([
    ["Recording", "Lasts", ...COUNTED, "From elsewhere (weak)", "Alerts", "Why no more"],
    ...rows.map(({ name, content, played }) => [
      name.replaceAll("|", "\\|"),
      durationText(content.lastsMs),
      ...countsOf(played),
      `${content.remote.length} (${weakIn(content.remote)})`,
      alertsText(played, () => undefined),
      whyNot(played, content),
    ]),
  ]);
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row), 0);
  const withRemote = rows.filter(({ content }) => content.remote.length > 0).length;
  const withWeak = rows.filter(({ content }) => weakIn(content.remote) > 0).length;
  const longest = Math.max(...rows.map(({ content }) => content.lastsMs));
  const mostLogins = Math.max(...rows.map(({ content }) => content.logins.length));
  return [
    `## ${title}`,
    `${rows.length} recordings, ${sum(({ played }) => played.summary.read)} records, ${sum(({ content }) => content.logins.length)} logins. ${withRemote} recordings ` +
      `hold a login from another host, ${withWeak} a weak one. The longest lasts ${durationText(longest)}, the fullest holds ${mostLogins} logins. ` +
      `Each by itself: ${sum(({ played }) => played.judged)} logins judged, ${sum(({ played }) => played.findings.length)} alerts.`,
    "### Each by itself",
    one,
    "### All together",
    together(recordings),
  ]
    .map((part) => part.trimEnd())
    .join("\n\n");
}

/** All of a source as one stream, in order of time. */
function together(recordings: readonly Recording[]): string {
  const events = inOrder(recordings.flatMap((recording) => recording.events));
  const nameOf = new Map<string, string>();
  for (const { name, events: own } of recordings)
    for (const { uid } of contentOf(own).logins) if (uid !== undefined) nameOf.set(uid, name);
  const content = contentOf(events);
  const runs = [
    { settings: "defaults", played: play(events) },
    { settings: "`window.maxJumpDays: 36500`", played: play(events, ANY_GAP) },
  ];
  const runsTable = table([
    ["Settings", ...COUNTED, "Epochs", "Alerts", "Ended"],
    ...runs.map(({ settings, played }) => [
      settings,
      ...countsOf(played),
      String(played.summary.epochs),
      alertsText(played, (uid) => nameOf.get(uid)),
      played.error || "well",
    ]),
  ]);
  return [
    runsTable,
    `- Most logins in the ${calibrationDays} days before a login, without those of its own hour: ${mostBefore(content.logins)}, and of those from another host: ${mostBefore(content.remote)}. ` +
      `Surprise begins with ${learnLogins} and ${learnLogins / 2} of them, volume with ${VOLUME_LOGINS} from another host.\n` +
      `- Weak logins from another host of accounts that have a past (${learnRecords} records over ${learnHours} hours, of the last ${config.window.days} days, one of them strong): ` +
      `${withPast(content)}. Presence judges no others.`,
  ].join("\n");
}

/** The most logins of `surprise.calibrationDays` that were there in closed hours when one came. */
function mostBefore(logins: readonly Login[]): number {
  const times = logins.map(({ timeMs }) => timeMs);
  const before = times.map((timeMs) => {
    const hourMs = timeMs - (timeMs % MS_PER_HOUR);
    return times.filter((other) => other < hourMs && other >= timeMs - calibrationDays * MS_PER_DAY).length;
  });
  return Math.max(0, ...before);
}

/** Weak logins from another host that presence can say something of, as its rule has it. */
function withPast({ remote, seen }: Content): number {
  const judged = remote.filter((login) => {
    const past = seen.filter(
      ({ user, timeMs }) =>
        user === login.user &&
        timeMs < login.timeMs &&
        timeMs >= login.timeMs - config.window.days * MS_PER_DAY,
    );
    const firstMs = Math.min(...past.map(({ timeMs }) => timeMs));
    const isLong = past.length >= learnRecords && login.timeMs - firstMs >= learnHours * MS_PER_HOUR;
    return login.evidence === "weak" && isLong && past.some(isStrong);
  });
  return judged.length;
}

function isStrong({ evidence }: Login): boolean {
  return evidence === "strong" || evidence === "ticket";
}

function weakIn(logins: readonly Login[]): number {
  return logins.filter(({ evidence }) => evidence === "weak").length;
}

function durationText(ms: number): string {
  if (ms >= 2 * MS_PER_DAY) return `${Math.round(ms / MS_PER_DAY)} days`;
  if (ms >= 2 * MS_PER_HOUR) return `${Math.round(ms / MS_PER_HOUR)} h`;
  if (ms >= 2 * MS_PER_MINUTE) return `${Math.round(ms / MS_PER_MINUTE)} min`;
  return `${Math.ceil(ms / 1000)} s`;
}

const paths = process.argv.slice(2);
if (paths.length === 0) throw new Error("name the folders that hold recordings");
const written = sourcesOf(paths).map(sectionOf).join("\n\n");
const page = readFileSync(PAGE, "utf8");
const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
if (from < 0 || to < from) throw new Error(`${PAGE} has no place for it`);
writeFileSync(PAGE, `${page.slice(0, from)}${BEGIN}\n\n${written}\n\n${page.slice(to)}`);
