import { type Canary, OUTCOMES, type Outcome } from "../../canary/canary.ts";
import type { Operations } from "../../console/operations.ts";
import { Metrics } from "../../metrics/metrics.ts";

/** Metrics and health of a canary. */
export class CanaryWatch implements Operations {
  readonly metrics = new Metrics("canary");
  readonly #logins = this.metrics.counter("canary_logins_total");
  readonly #seconds = this.metrics.histogram("canary_seconds");
  #canary: Canary | undefined;

  constructor() {
    // From the start, so that the first of its kind is an increase.
    for (const outcome of OUTCOMES) this.#logins.inc({ outcome }, 0);
    this.metrics.pull("ready", () => (this.unready() === undefined ? 1 : 0));
    this.metrics.pull("canary_pending", () => this.#canary?.pendingCount);
  }

  watch(canary: Canary): void {
    this.#canary = canary;
  }

  count(outcome: Outcome, seconds: number | undefined): void {
    this.#logins.inc({ outcome });
    if (seconds !== undefined) this.#seconds.observe(seconds);
  }

  unready(): string | undefined {
    return this.#canary?.isReady === true ? undefined : "no synthetic login was detected yet";
  }

  stuck(): undefined {}
}
