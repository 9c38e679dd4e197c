import { Buffer } from "node:buffer";
import { LoginStream, type StreamOptions } from "../../src/generator/stream.ts";

export type Row = {
  readonly second: number;
  readonly user: string;
  readonly targetUser: string;
  readonly source: string;
  readonly target: string;
  readonly auth: string;
  readonly logon: string;
  readonly orientation: string;
  readonly outcome: string;
};

/** A whole stream in memory, and what made it. */
export function generated(options: StreamOptions): { readonly stream: LoginStream; readonly bytes: Buffer } {
  const stream = new LoginStream(options);
  const chunks: Buffer[] = [];
  for (const chunk of stream.chunks()) chunks.push(Buffer.from(chunk));
  return { stream, bytes: Buffer.concat(chunks) };
}

export function* rowsOf(bytes: Buffer): Generator<Row, void, undefined> {
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; start = end + 1, end = bytes.indexOf(10, start)) {
    const [second, user, targetUser, source, target, auth, logon, orientation, outcome] = bytes
      .toString("latin1", start, end)
      .split(",") as [string, string, string, string, string, string, string, string, string];
    yield { second: Number(second), user, targetUser, source, target, auth, logon, orientation, outcome };
  }
}

export type AccountKind =
  | "machine"
  | "human"
  | "NETWORK SERVICE"
  | "ANONYMOUS LOGON"
  | "LOCAL SERVICE"
  | "SYSTEM";

export function kindOf(user: string): AccountKind {
  if (user.includes("$@")) return "machine";
  const name = user.slice(0, user.indexOf("@"));
  return /^U\d+$/.test(name) ? "human" : (name as AccountKind);
}

/** Counts by name. */
export class Counts extends Map<string, number> {
  total = 0;

  add(name: string): void {
    this.set(name, (this.get(name) ?? 0) + 1);
    this.total++;
  }

  /** Percent of all. */
  percent(name: string): number {
    return (100 * (this.get(name) ?? 0)) / this.total;
  }

  /** Percent of all that the busiest have, the first being the busiest. */
  get ranked(): number[] {
    return [...this.values()].sort((a, b) => b - a).map((count) => (100 * count) / this.total);
  }
}

export type StreamStatistics = {
  readonly rows: number;
  /** By orientation and auth type. */
  readonly mix: Counts;
  readonly accountKinds: Counts;
  readonly domains: Counts;
  readonly remote: number;
  readonly remoteByKind: Counts;
  readonly remoteByAuth: Counts;
  readonly remoteFails: number;
  readonly sameAccount: number;
  readonly ticketFails: number;
  readonly targets: Counts;
  readonly humanTargets: Counts;
  readonly ntlmTargets: Counts;
  readonly humanUsers: Counts;
  /** Rows by hour of the stream. */
  readonly hours: Float64Array;
  readonly humanHours: Float64Array;
  /** Host pairs seen in remote logins, by the day on which each came first; and remote logins a day. */
  readonly newPairs: Float64Array;
  readonly remoteByDay: Float64Array;
  /** Distinct targets and sources of each human account in remote logins of the first working morning. */
  readonly morningTargets: number[];
  readonly morningSources: number[];
};

const MORNING = [9 * 3600, 9 * 3600 + 80 * 60];

export function statisticsOf(bytes: Buffer, days: number): StreamStatistics {
  const mix = new Counts();
  const accountKinds = new Counts();
  const domains = new Counts();
  const remoteByKind = new Counts();
  const remoteByAuth = new Counts();
  const targets = new Counts();
  const humanTargets = new Counts();
  const ntlmTargets = new Counts();
  const humanUsers = new Counts();
  const hours = new Float64Array(24 * days);
  const humanHours = new Float64Array(24 * days);
  const newPairs = new Float64Array(days);
  const remoteByDay = new Float64Array(days);
  const pairs = new Set<string>();
  const morning = new Map<string, { targets: Set<string>; sources: Set<string> }>();
  let rows = 0;
  let remote = 0;
  let remoteFails = 0;
  let sameAccount = 0;
  let ticketFails = 0;
  for (const row of rowsOf(bytes)) {
    rows++;
    const kind = kindOf(row.user);
    const hour = Math.floor(row.second / 3600);
    const day = Math.floor(hour / 24);
    const isLogOn = row.orientation === "LogOn";
    mix.add(
      isLogOn || row.orientation === "LogOff"
        ? `${row.orientation} ${row.auth} ${row.logon}`
        : row.orientation,
    );
    accountKinds.add(kind);
    const domain = row.user.slice(row.user.indexOf("@") + 1);
    domains.add(domain.startsWith("C") ? "host" : domain);
    hours[hour]++;
    if (kind === "human") humanHours[hour]++;
    if (row.user === row.targetUser) sameAccount++;
    if (row.orientation === "TGT" && row.outcome === "Fail") ticketFails++;
    if (!isLogOn || row.source === row.target) continue;
    remote++;
    remoteByDay[day]++;
    remoteByKind.add(kind);
    remoteByAuth.add(row.auth);
    if (row.outcome === "Fail") remoteFails++;
    targets.add(row.target);
    if (row.auth === "NTLM") ntlmTargets.add(row.target);
    const pair = `${row.source} ${row.target}`;
    if (!pairs.has(pair)) {
      pairs.add(pair);
      newPairs[day]++;
    }
    if (kind !== "human") continue;
    humanTargets.add(row.target);
    humanUsers.add(row.user);
    if (row.second < MORNING[0] || row.second >= MORNING[1]) continue;
    let seen = morning.get(row.user);
    if (seen === undefined) morning.set(row.user, (seen = { targets: new Set(), sources: new Set() }));
    seen.targets.add(row.target);
    seen.sources.add(row.source);
  }
  const ascending = (sizes: number[]) => sizes.sort((a, b) => a - b);
  return {
    rows,
    mix,
    accountKinds,
    domains,
    remote,
    remoteByKind,
    remoteByAuth,
    remoteFails,
    sameAccount,
    ticketFails,
    targets,
    humanTargets,
    ntlmTargets,
    humanUsers,
    hours,
    humanHours,
    newPairs,
    remoteByDay,
    morningTargets: ascending([...morning.values()].map((seen) => seen.targets.size)),
    morningSources: ascending([...morning.values()].map((seen) => seen.sources.size)),
  };
}
