const ARRIVED = 0;
const GENERATION = 1;
/** Looks before a thread sleeps: phases are short, and waking up takes longer than most of them differ. */
const SPINS = 2000;

/** Where a fixed number of threads wait for each other. */
export class ThreadBarrier {
  readonly #words: Int32Array;
  readonly #threads: number;
  readonly #msMax: number;

  /** @param words two zeroed words that all threads share */
  constructor(words: Int32Array, threads: number, msMax: number) {
    this.#words = words;
    this.#threads = threads;
    this.#msMax = msMax;
  }

  /**
   * Returns once all have come.
   *
   * @throws if one does not come in time
   */
  wait(msMax = this.#msMax): void {
    if (this.#threads === 1) return;
    const words = this.#words;
    const generation = Atomics.load(words, GENERATION);
    if (Atomics.add(words, ARRIVED, 1) + 1 === this.#threads) {
      Atomics.store(words, ARRIVED, 0);
      Atomics.add(words, GENERATION, 1);
      Atomics.notify(words, GENERATION);
      return;
    }
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(words, GENERATION) !== generation) return;
    while (Atomics.load(words, GENERATION) === generation) {
      if (Atomics.wait(words, GENERATION, generation, msMax) === "timed-out")
        throw new Error(`a training thread did not answer for ${msMax / 1000} s`);
    }
  }
}
