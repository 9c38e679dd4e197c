import { RecentMinutes } from "../src/graph-state/recent-minutes.ts";
import { countDays, Statistics } from "../src/graph-state/statistics.ts";
import { BURST_NATS, nats, USUAL_DAYS, WEIGHTS } from "../src/model/volume/burst.ts";

const MS_PER_MINUTE = 60_000;
const LEARN_MINUTES = 12 * 60;

/** Counts of one kind of key: pairs, sources or targets. */
class Keys {
  readonly statistics: Statistics;
  readonly #recent = new RecentMinutes();
  keysMax = 0;

  constructor(count: number) {
    this.statistics = new Statistics(count);
    for (let key = 0; key < count; key++) this.statistics.clear(key);
  }

  nats(key: number, minute: number): number {
    const { statistics } = this;
    const first = Math.min(statistics.firstMsOf(key), minute * MS_PER_MINUTE);
    this.#recent.moveTo(minute);
    const calm = statistics.countOf(key) - statistics.burstsOf(key);
    return nats(1 + this.#recent.sum(key, minute, WEIGHTS), calm, minute - first / MS_PER_MINUTE);
  }

  add(key: number, minute: number, change: Statistics): void {
    this.#recent.add(key, minute, 1);
    this.keysMax = Math.max(this.keysMax, this.#recent.size);
    this.statistics.addRow(key, change, 0);
  }
}

/**
 * The volume signal without the engine: the same counts and the same arithmetic, on edges that are numbers. An edge is scored
 * with the edges before it, and then added.
 */
export class ExactVolume {
  readonly #pairs: Keys;
  readonly #sources: Keys;
  readonly #targets: Keys;
  readonly #change = new Statistics(1);

  constructor(pairs: number, hosts: number) {
    this.#pairs = new Keys(pairs);
    this.#sources = new Keys(hosts);
    this.#targets = new Keys(hosts);
  }

  /** Most keys whose minutes were kept at a time. */
  get keysMax(): number {
    return this.#pairs.keysMax + this.#sources.keysMax + this.#targets.keysMax;
  }

  /** @param minute 0 or more, never less than before */
  add(pair: number, source: number, target: number, minute: number): number {
    const score = Math.max(
      this.#pairs.nats(pair, minute),
      this.#sources.nats(source, minute),
      this.#targets.nats(target, minute),
    );
    const isUsual = countDays(this.#pairs.statistics.daysOf(pair)) >= USUAL_DAYS;
    const bursts = minute >= LEARN_MINUTES && score >= BURST_NATS && !isUsual ? 1 : 0;
    this.#change.clear(0);
    this.#change.setOne(0, minute * MS_PER_MINUTE, { failures: 0, strong: 0, weak: 0, tickets: 0, bursts });
    this.#pairs.add(pair, minute, this.#change);
    this.#sources.add(source, minute, this.#change);
    this.#targets.add(target, minute, this.#change);
    return score;
  }
}
