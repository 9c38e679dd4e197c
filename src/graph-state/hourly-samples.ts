import type { Buffer } from "node:buffer";

/** Logins kept of each hour: some four thousand of two weeks, a few hundred bytes each. */
export const SAMPLES_PER_HOUR = 12;

/** Of a sample, what its numbers and lengths take when encoded. */
const SAMPLE_BYTES = 20;

/** A login that was drawn, with what was known of it when it was scored. */
export type Sample = {
  /** Hours since the epoch, of the watermark. */
  readonly hour: number;
  /** A hash of where the login came from, below 2 ** 52: of each hour those with the lowest keys are kept. */
  readonly key: number;
  readonly user: Buffer;
  readonly sourceHost: Buffer;
  readonly targetHost: Buffer;
  /** What the model measured of it: its own affair. */
  readonly rows: Buffer;
};

/** About what a sample takes when encoded. */
export function bytesOf({ user, sourceHost, targetHost, rows }: Sample): number {
  return SAMPLE_BYTES + user.length + sourceHost.length + targetHost.length + rows.length;
}

/**
 * A uniform random sample of the logins of each clock hour of the watermark, the same for whoever saw them in whatever order:
 * a union keeps the lowest keys, so it is a commutative monoid like everything in a segment (a bottom-k sketch). As with
 * histograms a closed hour never changes.
 */
export class HourlySamples {
  /** By hour, ascending by key. */
  readonly #hours = new Map<number, Sample[]>();
  #delta: Sample[] = [];

  /** Whether a login of an hour with that key would be kept: most need not be measured. */
  accepts(hour: number, key: number): boolean {
    const kept = this.#hours.get(hour);
    return kept === undefined || kept.length < SAMPLES_PER_HOUR || key < kept.at(-1)!.key;
  }

  /** Adds a login that this process has drawn. */
  record(sample: Sample): void {
    if (this.#keep(sample)) this.#delta.push(sample);
  }

  /** Adds what a segment carries. */
  addAll(samples: readonly Sample[]): void {
    for (const sample of samples) this.#keep(sample);
  }

  /** Those of the hours from `from` to before `until`, in a fixed order. */
  within(from: number, until: number): Sample[] {
    const hours = [...this.#hours.keys()].filter((hour) => hour >= from && hour < until);
    return hours.sort((a, b) => a - b).flatMap((hour) => this.#hours.get(hour)!);
  }

  /** Forgets the hours before `hour`. */
  dropBefore(hour: number): void {
    for (const candidate of this.#hours.keys()) if (candidate < hour) this.#hours.delete(candidate);
  }

  all(): Sample[] {
    return this.within(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  /** What was recorded since the last call and is still kept. */
  takeDelta(): Sample[] {
    const delta = this.#delta.filter((sample) => this.#hours.get(sample.hour)?.includes(sample));
    this.#delta = [];
    return delta;
  }

  #keep(sample: Sample): boolean {
    const { hour, key } = sample;
    if (!this.accepts(hour, key)) return false;
    const kept = this.#hours.get(hour) ?? [];
    const place = kept.findIndex((other) => other.key >= key);
    if (place >= 0 && kept[place]!.key === key) return false;
    kept.splice(place < 0 ? kept.length : place, 0, sample);
    if (kept.length > SAMPLES_PER_HOUR) kept.pop();
    this.#hours.set(hour, kept);
    return true;
  }
}
