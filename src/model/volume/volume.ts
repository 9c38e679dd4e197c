import type { Facts } from "../../graph-state/facts.ts";
import type { Graph } from "../../graph-state/graph.ts";
import { BIN_COUNT, type HourlyHistogram } from "../../graph-state/hourly-histograms.ts";
import { findLinkKind, HOST_KIND, type LinkKind } from "../../graph-state/link-kinds.ts";
import { type LinkRow, NO_ROW } from "../../graph-state/link-row.ts";
import { NO_ENTITY } from "../../graph-state/names.ts";
import { minuteOf } from "../../graph-state/recent-logins.ts";
import { countDays, type Statistics } from "../../graph-state/statistics.ts";
import { SOURCE_HOST, TARGET_HOST } from "../../ingest/login-bytes.ts";
import { fitTail, type Tail, tailProbability } from "../tail.ts";
import { TrailingHistogram } from "../trailing-histogram.ts";
import { BURST_NATS, expectedPerMinute, nats, USUAL_DAYS, WEIGHTS } from "./burst.ts";

const MS_PER_MINUTE = 60_000;
const MS_PER_HOUR = 3_600_000;
/** Everything is new at first: so long nothing is a burst, and nothing is learnt from. */
const LEARN_HOURS = 12;
/** Calm logins to learn from before the first probability, and days of them that one is ranked among. */
const LEARN_LOGINS = 200;
const CALIBRATION_DAYS = 14;
/** Nats are ranked by ln(1 + nats), in bins of this width: 512 of them reach to nine million. */
const BIN_WIDTH = 1 / 32;
/** Words count the logins of so many minutes: about all that still have weight. */
export const TOLD_MINUTES = 30;

/** What a login was counted by: its pair of hosts, its source or its target. */
export type VolumeKey = "pair" | "source" | "target";

/** What was found of the login scored last, for whoever explains it. */
export type VolumeFound = {
  readonly key: VolumeKey;
  /** Logins of the key within the last `TOLD_MINUTES`, this one among them, and how many are usual. */
  readonly logins: number;
  readonly usualLogins: number;
  /** Hosts at the other end of them; 1 for a pair. */
  readonly hosts: number;
  /** The one of them that most of these logins are of: its entity, and how many. */
  readonly main: { readonly host: number; readonly logins: number };
};

/** Weights that count each login of the last minutes once. */
const TOLD = new Float64Array(TOLD_MINUTES).fill(1);

/**
 * The volume signal: is this a flood, a scan or a spray? Logins of the newest minutes by pair of hosts, by source and by target,
 * against what each of the three is used to; the oddest counts, as in MIDAS. What comes in a burst does not become usual, as in
 * MIDAS-F; but what a pair does on seven days does.
 *
 * Only logins from host to host are counted: a local one has volume 1. Evidence records count, and get no score.
 *
 * @see Bhatia et al., "Real-Time Anomaly Detection in Edge Streams", ACM TKDD 16(4), 2022
 */
export class Volume {
  /** Of the login scored last; 0 where it has no volume. */
  nats = 0;
  /** Whether that login is part of a burst; and whether it is one that does not count as usual. */
  isBurst = false;
  isUnusualBurst = false;
  /** By what it was counted. */
  key: VolumeKey = "pair";
  readonly #graph: Graph;
  readonly #kind: LinkKind | undefined;
  readonly #histogram: HourlyHistogram;
  readonly #trailing: TrailingHistogram;
  #hour = -1;
  #tail: Tail | undefined;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#kind = findLinkKind(graph.kinds, "sourceHost", "targetHost");
    this.#histogram = graph.histograms.get("volume");
    this.#trailing = new TrailingHistogram(this.#histogram, {
      countMin: Number.POSITIVE_INFINITY,
      hoursMax: CALIBRATION_DAYS * 24,
    });
  }

  /** Tail probability of a login, in (0, 1]; 1 for one that has no volume, and as long as there is nothing to rank it among. */
  score(facts: Facts): number {
    this.measure(facts);
    const hour = Math.floor(this.#graph.window.watermarkMs / MS_PER_HOUR);
    if (hour !== this.#hour) this.#roll(hour);
    return this.nats === 0 || this.#tail === undefined
      ? 1
      : tailProbability(this.#tail, Math.log1p(this.nats));
  }

  /** Only finds out whether a record is part of a burst. */
  measure({ ids, sourceTargetRow, isRemote, timeMs }: Facts): void {
    this.nats = 0;
    this.isBurst = this.isUnusualBurst = false;
    const kind = this.#kind;
    const minute = minuteOf(timeMs);
    const { recent, links } = this.#graph;
    if (kind === undefined || !isRemote || !recent.pairs.isKept(minute)) return;
    const source = ids[SOURCE_HOST]!;
    const target = ids[TARGET_HOST]!;
    const row = sourceTargetRow;
    this.#take("pair", row, row === NO_ROW ? undefined : links.statistics, timeMs, minute);
    this.#take("source", source, this.#nodeStatistics(kind, "from", source), timeMs, minute);
    this.#take("target", target, this.#nodeStatistics(kind, "to", target), timeMs, minute);
    this.isBurst = this.nats >= BURST_NATS && this.#hasLearnt;
    this.isUnusualBurst =
      this.isBurst && (row === NO_ROW || countDays(links.statistics.daysOf(row)) < USUAL_DAYS);
  }

  /** Learns from the login scored last, before it is added. */
  learn(): void {
    if (this.nats > 0 && !this.isBurst && this.#hasLearnt)
      this.#histogram.record(this.#hour, Math.log1p(this.nats) / BIN_WIDTH);
  }

  /** The login scored last in numbers; undefined if it has no volume. Walks the links of a host. */
  found({ ids, sourceTargetRow, timeMs }: Facts): VolumeFound | undefined {
    const kind = this.#kind;
    if (kind === undefined || this.nats === 0) return undefined;
    const { recent, links } = this.#graph;
    const minute = minuteOf(timeMs);
    const { key } = this;
    if (key === "pair") {
      const known = sourceTargetRow === NO_ROW ? undefined : links.statistics;
      return {
        key,
        logins: 1 + recent.pairs.sum(sourceTargetRow, minute, TOLD),
        usualLogins: TOLD_MINUTES * expected(known, sourceTargetRow, timeMs),
        hosts: 1,
        main: { host: ids[TARGET_HOST]!, logins: 1 + recent.pairs.sum(sourceTargetRow, minute, TOLD) },
      };
    }
    const [end, host, nodes] =
      key === "source"
        ? (["from", ids[SOURCE_HOST]!, recent.sources] as const)
        : (["to", ids[TARGET_HOST]!, recent.targets] as const);
    let hosts = sourceTargetRow !== NO_ROW && recent.pairs.sum(sourceTargetRow, minute, TOLD) > 0 ? 0 : 1;
    let main = { host: key === "source" ? ids[TARGET_HOST]! : ids[SOURCE_HOST]!, logins: 1 };
    for (const row of this.#graph.linksAt(kind, end, host)) {
      const logins = links.relationOf(row) === 0 ? recent.pairs.sum(row, minute, TOLD) : 0;
      if (logins === 0) continue;
      hosts++;
      const other = key === "source" ? links.toOf(row) : links.fromOf(row);
      // Of equal ones the same everywhere, whatever their rows.
      const isMore =
        main.host === NO_ENTITY ||
        logins > main.logins ||
        (logins === main.logins && this.#graph.names.entities[HOST_KIND]!.compare(other, main.host) < 0);
      if (isMore) main = { host: other, logins };
    }
    return {
      key,
      logins: 1 + nodes.sum(host, minute, TOLD),
      usualLogins: TOLD_MINUTES * expected(this.#nodeStatistics(kind, end, host), host, timeMs),
      hosts,
      main,
    };
  }

  get #hasLearnt(): boolean {
    return this.#graph.window.watermarkMs - this.#graph.originMs >= LEARN_HOURS * MS_PER_HOUR;
  }

  /** Takes what a key says if it is odder than what the others did. `statistics` is undefined for a key that is not known. */
  #take(
    key: VolumeKey,
    id: LinkRow | number,
    statistics: Statistics | undefined,
    timeMs: number,
    minute: number,
  ): void {
    const { recent } = this.#graph;
    const counts = key === "pair" ? recent.pairs : key === "source" ? recent.sources : recent.targets;
    const found =
      statistics === undefined
        ? nats(1, 0, 0)
        : nats(
            1 + counts.sum(id, minute, WEIGHTS),
            calmOf(statistics, id),
            knownMinutes(statistics, id, timeMs),
          );
    if (found <= this.nats) return;
    this.nats = found;
    this.key = key;
  }

  #nodeStatistics(kind: LinkKind, end: "from" | "to", host: number): Statistics | undefined {
    const nodes = this.#graph.node(kind, end, host);
    return nodes.degreeOf(host) === 0 ? undefined : nodes.statistics;
  }

  #roll(hour: number): void {
    this.#hour = hour;
    this.#trailing.roll(hour);
    this.#tail = this.#trailing.total >= LEARN_LOGINS ? fitTail(BIN_CENTRES, this.#trailing.sum) : undefined;
  }
}

function calmOf(statistics: Statistics, row: number): number {
  return statistics.countOf(row) - statistics.burstsOf(row);
}

function knownMinutes(statistics: Statistics, row: number, timeMs: number): number {
  return (timeMs - statistics.firstMsOf(row)) / MS_PER_MINUTE;
}

/** Logins a minute. */
function expected(statistics: Statistics | undefined, row: number, timeMs: number): number {
  return statistics === undefined
    ? expectedPerMinute(0, 0)
    : expectedPerMinute(calmOf(statistics, row), knownMinutes(statistics, row, timeMs));
}

const BIN_CENTRES = Float64Array.from({ length: BIN_COUNT }, (_, bin) => (bin + 0.5) * BIN_WIDTH);
