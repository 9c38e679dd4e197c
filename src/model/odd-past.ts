import type { Facts } from "../graph-state/facts.ts";
import type { Graph } from "../graph-state/graph.ts";
import { BIN_COUNT, type HourlyHistogram } from "../graph-state/hourly-histograms.ts";
import { findLinkKind, isFormed, type LinkKind } from "../graph-state/link-kinds.ts";
import { NO_ROW } from "../graph-state/link-row.ts";
import { type LoginBytes, USER } from "../ingest/login-bytes.ts";
import { fitTail, type Tail, tailProbability } from "./tail.ts";
import { TrailingHistogram } from "./trailing-histogram.ts";

const MS_PER_HOUR = 3_600_000;
const HOURS_PER_DAY = 24;
/** -ln of the score from which a login is odd: one in 148. Below it the past of its user does not matter. */
export const ODD_NATS = 5;
/** What the past adds is this times the logarithm of one more than the count: one that is odd all the time must not drown the rest. */
const WEIGHT = 2;
const BINS_PER_NAT = 16;
/** Odd logins that have to be known before one can be ranked among them. */
const ODD_LOGINS_MIN = 100;

const BIN_CENTRES = Float64Array.from({ length: BIN_COUNT }, (_, bin) => (bin + 0.5) / BINS_PER_NAT);

/**
 * Evidence of an account summed over days: an odd login counts for more if the same account made odd links before, of
 * which each may be an accident. Who stays on his own host, with his own account, leaves nothing else behind.
 *
 * -ln p + 2 ln(1 + n), with n the odd links of the last weeks, faded; ranked among the same of earlier odd logins, so that it is
 * a tail probability again.
 */
export class OddPast {
  readonly #graph: Graph;
  readonly #userSource: LinkKind | undefined;
  readonly #userTarget: LinkKind | undefined;
  readonly #scores: HourlyHistogram;
  readonly #trailing: TrailingHistogram;
  #hour = -1;
  #tail: Tail | undefined;
  #isOdd = false;
  #nats = 0;
  /** What the past of its user adds to the login scored last, in nats; and the count it comes from. */
  added = 0;
  count = 0;

  constructor(graph: Graph, calibrationDays: number) {
    this.#graph = graph;
    this.#userSource = findLinkKind(graph.kinds, "user", "sourceHost");
    this.#userTarget = findLinkKind(graph.kinds, "user", "targetHost");
    this.#scores = graph.histograms.get("odd-past");
    this.#trailing = new TrailingHistogram(this.#scores, {
      countMin: Number.POSITIVE_INFINITY,
      hoursMax: calibrationDays * HOURS_PER_DAY,
    });
  }

  /** Tail probability of a login in (0, 1], of one that is not odd the one it has. */
  score(probability: number, facts: Facts): number {
    const nats = -Math.log(probability);
    this.#isOdd = nats > ODD_NATS;
    this.added = this.count = 0;
    if (!this.#isOdd) return probability;
    this.#roll();
    this.count = this.#graph.oddNews.faded(facts.ids[USER]!, facts.timeMs);
    this.added = WEIGHT * Math.log1p(this.count);
    this.#nats = nats - ODD_NATS + this.added;
    if (this.#tail === undefined) return probability;
    return Math.exp(-ODD_NATS) * tailProbability(this.#tail, this.#nats);
  }

  /** Learns from the login scored last, before it is added. */
  learn(): void {
    if (this.#isOdd) this.#scores.record(this.#hour, this.#nats * BINS_PER_NAT);
  }

  /** The kind of link that makes the login scored last news, or undefined if it is not odd, or none is new. */
  newsOf(login: LoginBytes, facts: Facts): LinkKind | undefined {
    if (!this.#isOdd) return undefined;
    return [this.#userTarget, this.#userSource].find(
      (kind) => kind !== undefined && facts.rows[kind.index] === NO_ROW && isFormed(kind, login),
    );
  }

  #roll(): void {
    const hour = Math.floor(this.#graph.window.watermarkMs / MS_PER_HOUR);
    if (hour === this.#hour) return;
    this.#hour = hour;
    this.#trailing.roll(hour);
    this.#tail = this.#trailing.total < ODD_LOGINS_MIN ? undefined : fitTail(BIN_CENTRES, this.#trailing.sum);
  }
}
