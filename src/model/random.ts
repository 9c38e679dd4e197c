/**
 * Seeded pseudo-random numbers: sfc32 (Chris Doty-Humphrey, PractRand, public domain) seeded through splitmix32. The same
 * seed and label give the same numbers on every machine.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param label keeps the streams of one seed apart: "negatives" draws nothing of what "weights" draws */
  constructor(seed: number, label: string) {
    let state = seed >>> 0;
    for (let i = 0; i < label.length; i++) state = Math.imul(state ^ label.charCodeAt(i), 0x01000193) >>> 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state ^ (state >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    for (let i = 0; i < 12; i++) this.nextUint32();
  }

  nextUint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** Uniform in [0, 1). */
  nextFloat(): number {
    return this.nextUint32() / 0x1_0000_0000;
  }

  /** Uniform in 0 .. count - 1. */
  nextInt(count: number): number {
    return Math.floor(this.nextFloat() * count);
  }

  /** Uniform in [-limit, limit). */
  nextWithin(limit: number): number {
    return (this.nextFloat() * 2 - 1) * limit;
  }
}
