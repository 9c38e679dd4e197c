/** Bins of each histogram: values below the first or above the last bin go into it. */
export const BIN_COUNT = 512;

const SPARE_MAX = 64;

/** The counts of one named histogram in one hour of event time, sparse: what a segment carries of it. */
export type HourlyBins = {
  readonly name: string;
  /** Hours since the epoch. */
  readonly hour: number;
  readonly bins: readonly number[];
  readonly counts: readonly number[];
};

/**
 * Counts of one observed quantity by clock hour of the watermark: integers that add, so they are part of every segment,
 * and old hours fall away whole. The hour is that of the watermark and not of the login, so that a closed hour never
 * changes, however late a login comes.
 *
 *   hours   hour -> u32[512]     2 kB an hour that saw anything
 *   delta   hour -> u32[512]     what no segment carries yet; seldom more than one hour
 */
export class HourlyHistogram {
  readonly #hours = new Map<number, Uint32Array>();
  readonly #delta = new Map<number, Uint32Array>();
  /** Arrays of hours that are over, zeroed: an hour of a quiet stream is soon over. */
  readonly #spare: Uint32Array<ArrayBuffer>[] = [];
  /** The arrays of the hour being recorded, kept at hand: recording is two increments. */
  #openHour = -1;
  #openCounts = new Uint32Array(0);
  #openDelta = new Uint32Array(0);

  record(hour: number, bin: number): void {
    if (hour !== this.#openHour) this.#open(hour);
    const clamped = bin < 0 ? 0 : bin >= BIN_COUNT ? BIN_COUNT - 1 : Math.floor(bin);
    this.#openCounts[clamped]!++;
    this.#openDelta[clamped]!++;
  }

  /** Hours after `hour` that hold anything, oldest first. */
  hoursAfter(hour: number): number[] {
    const hours: number[] = [];
    for (const candidate of this.#hours.keys()) if (candidate > hour) hours.push(candidate);
    return hours.sort((a, b) => a - b);
  }

  /** Counts of one hour, or undefined if nothing was seen in it; not to be changed. */
  get(hour: number): Uint32Array | undefined {
    return this.#hours.get(hour);
  }

  /** Forgets the hours before `hour`. */
  dropBefore(hour: number): void {
    for (const [candidate, counts] of this.#hours) {
      if (candidate >= hour) continue;
      this.#hours.delete(candidate);
      this.#giveBack(counts);
    }
    this.#openHour = -1;
  }

  add(hour: number, bins: readonly number[], counts: readonly number[]): void {
    const into = this.#bucket(this.#hours, hour);
    for (let i = 0; i < bins.length; i++) into[bins[i]!]! += counts[i]!;
    this.#openHour = -1;
  }

  /** Every hour, oldest first, sparse. */
  all(name: string): HourlyBins[] {
    return sparse(name, this.#hours);
  }

  /** What was recorded since the last call. */
  takeDelta(name: string): HourlyBins[] {
    const taken = sparse(name, this.#delta);
    for (const counts of this.#delta.values()) this.#giveBack(counts);
    this.#delta.clear();
    this.#openHour = -1;
    return taken;
  }

  #bucket(hours: Map<number, Uint32Array>, hour: number): Uint32Array<ArrayBuffer> {
    let counts = hours.get(hour);
    if (counts === undefined) hours.set(hour, (counts = this.#spare.pop() ?? new Uint32Array(BIN_COUNT)));
    return counts as Uint32Array<ArrayBuffer>;
  }

  #giveBack(counts: Uint32Array): void {
    if (this.#spare.length >= SPARE_MAX) return;
    counts.fill(0);
    this.#spare.push(counts as Uint32Array<ArrayBuffer>);
  }

  #open(hour: number): void {
    this.#openHour = hour;
    this.#openCounts = this.#bucket(this.#hours, hour);
    this.#openDelta = this.#bucket(this.#delta, hour);
  }
}

/** All histograms of an engine, by name. */
export class HourlyHistograms {
  readonly #byName = new Map<string, HourlyHistogram>();

  get(name: string): HourlyHistogram {
    let histogram = this.#byName.get(name);
    if (histogram === undefined) this.#byName.set(name, (histogram = new HourlyHistogram()));
    return histogram;
  }

  /** Adds what a segment carries. */
  add(all: readonly HourlyBins[]): void {
    for (const { name, hour, bins, counts } of all) this.get(name).add(hour, bins, counts);
  }

  /** Everything held, in a fixed order. */
  all(): HourlyBins[] {
    return [...this.#byName.keys()].sort().flatMap((name) => this.get(name).all(name));
  }

  /** What was recorded since the last call, in a fixed order. */
  takeDelta(): HourlyBins[] {
    return [...this.#byName.keys()].sort().flatMap((name) => this.get(name).takeDelta(name));
  }
}

function sparse(name: string, hours: ReadonlyMap<number, Uint32Array>): HourlyBins[] {
  const taken: HourlyBins[] = [];
  for (const [hour, counts] of [...hours].sort((a, b) => a[0] - b[0])) {
    const bins: number[] = [];
    for (let bin = 0; bin < BIN_COUNT; bin++) if (counts[bin] !== 0) bins.push(bin);
    if (bins.length > 0) taken.push({ name, hour, bins, counts: bins.map((bin) => counts[bin]!) });
  }
  return taken;
}
