/** Codes below are whole numbers up to 2 ** 34, and seconds of a day fit in what is left of a double's 53 bits. */
const CODES = 2 ** 34;

/** What is certain to happen on a day, in the order of time: uses of links, and people sitting down at their desks. */
export class Schedule {
  readonly #dayStart: number;
  readonly #dayEnd: number;
  readonly #keys: number[] = [];
  #sorted = new Float64Array(0);
  #at = 0;

  constructor(dayStart: number, dayEnd: number) {
    this.#dayStart = dayStart;
    this.#dayEnd = dayEnd;
  }

  use(link: number, second: number): void {
    this.#add(2 * link, second);
  }

  arrive(person: number, second: number): void {
    this.#add(2 * person + 1, second);
  }

  /** No more is added. */
  sort(): void {
    this.#sorted = Float64Array.from(this.#keys).sort();
    this.#keys.length = 0;
  }

  /** Calls back for all that happens before `end`, once each. */
  until(
    end: number,
    use: (link: number, second: number) => void,
    arrive: (person: number, second: number) => void,
  ): void {
    const limit = (end - this.#dayStart) * CODES;
    while (this.#at < this.#sorted.length && this.#sorted[this.#at] < limit) {
      const key = this.#sorted[this.#at++];
      const offset = Math.floor(key / CODES);
      const code = key - offset * CODES;
      if (code % 2 === 0) use(code / 2, this.#dayStart + offset);
      else arrive((code - 1) / 2, this.#dayStart + offset);
    }
  }

  #add(code: number, second: number): void {
    const clamped = Math.min(this.#dayEnd - 1, Math.max(this.#dayStart, Math.floor(second)));
    this.#keys.push((clamped - this.#dayStart) * CODES + code);
  }
}
