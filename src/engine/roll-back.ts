import { excessSince } from "../alerts/excess.ts";
import type { Config } from "../config/schema.ts";
import type { Graph } from "../graph-state/graph.ts";
import { type Epoch, sealEpoch } from "../model/epoch.ts";

const MS_PER_HOUR = 3_600_000;

/** Hour of event time. */
export function hourOf(timeMs: number): number {
  return Math.floor(timeMs / MS_PER_HOUR);
}

/**
 * Takes an epoch back that brought too many alerts: the one before comes again, under a new number, so that it reaches everybody as any
 * other does. Of what an epoch brought it is judged in the day after it was trained; one that came back is not judged.
 *
 * It needs a budget: with a fixed threshold nobody has said what is too much.
 */
export class RollBack {
  readonly #config: Config;
  #inForce: Epoch | undefined;
  #before: Epoch | undefined;

  constructor(config: Config) {
    this.#config = config;
  }

  /** To be told of each epoch that comes into force, in their order. */
  adopted(epoch: Epoch): void {
    this.#before = this.#inForce;
    this.#inForce = epoch;
  }

  /**
   * The epoch to be published, under the number `number`, if the one in force is to be taken back.
   *
   * @param throughHour last hour of event time that is over
   */
  due(graph: Graph, throughHour: number, number: number): Epoch | undefined {
    const { training, threshold, alertsPerDay } = this.#config;
    const [epoch, before] = [this.#inForce, this.#before];
    if (!training.gate || threshold !== undefined || epoch === undefined || before === undefined)
      return undefined;
    const { rolledBack: isBack, trainedAtMs, promotedAtMs } = epoch.manifest;
    if (isBack !== null) return undefined;
    const excess = excessSince(
      graph.histograms.get("incident-peaks"),
      { sinceHour: hourOf(promotedAtMs ?? trainedAtMs), throughHour, originHour: hourOf(graph.originMs) },
      alertsPerDay,
    );
    if (excess === undefined) return undefined;
    const reason =
      `${excess.incidents} incidents would have alerted in the ${excess.hours} hours after it, ` +
      `more than ${Math.floor(excess.allowed)} is too many for alertsPerDay ${alertsPerDay}`;
    const rolledBack = { from: epoch.manifest.number, to: before.manifest.number, reason };
    return sealEpoch({ ...before, manifest: { ...before.manifest, number, rolledBack } });
  }
}

/** What became of an epoch that was taken back, for a person. */
export function rolledBackText({ manifest: { number, rolledBack } }: Epoch): string {
  return `epoch ${rolledBack!.from} is taken back, epoch ${number} is what epoch ${rolledBack!.to} was: ${rolledBack!.reason}`;
}
