/** A process that has work and does none of it for so long will not go on by itself; no single step takes as long. */
export const STUCK_MS = 120_000;

/**
 * Whether the loop moves, which is more than that the process answers: records wait, and yet nothing was processed, written or tried for
 * two minutes. That brokers can't be reached is no reason to start anew: then it tries.
 */
export class Liveness {
  readonly #monotonicMs: () => number;
  readonly #hasWork: () => boolean;
  #movedAtMs: number;

  /** @param hasWork whether anything waits to be done */
  constructor(monotonicMs: () => number, hasWork: () => boolean) {
    this.#monotonicMs = monotonicMs;
    this.#hasWork = hasWork;
    this.#movedAtMs = monotonicMs();
  }

  /** Something was done, or tried. */
  readonly moved = (): void => {
    this.#movedAtMs = this.#monotonicMs();
  };

  /** Since when nothing moves though there is work, in words; undefined while all is well. */
  stuck(): string | undefined {
    const silentMs = this.#monotonicMs() - this.#movedAtMs;
    if (silentMs < STUCK_MS || !this.#hasWork()) return undefined;
    return `records wait, and nothing was done for ${Math.round(silentMs / 1000)} s`;
  }
}
