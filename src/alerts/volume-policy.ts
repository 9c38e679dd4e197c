import type { AlertGroup } from "../graph-state/alert-groups.ts";
import type { Graph } from "../graph-state/graph.ts";
import { type LoginBytes, SOURCE_HOST, TARGET_HOST } from "../ingest/login-bytes.ts";
import type { Volume } from "../model/volume/volume.ts";
import { type AlertBudget, BUDGET_SCORE_MAX } from "./budget.ts";
import { type Decision, PER_NAT, QUIET } from "./decision.ts";
import { type Suppression, tierOf } from "./suppression.ts";

/** Groups of the volume channel last four hours. */
const SLOT_MS = 4 * 3_600_000;
/** Within a group that alerted already, the next alert must be so many times as odd, in nats: eight alerts of one at most. */
const GROWTH = 2;

/**
 * Decides which bursts become alerts: a channel of its own, with its own budget, that takes nothing from the other tiers.
 *
 * One burst is thousands of logins: a group is a source host in a slot of four hours, or a target host where that one is
 * flooded, and costs the budget one alert. It alerts again only where it grows to twice as odd, and that is free.
 */
export class VolumePolicy {
  readonly #graph: Graph;
  readonly #volume: Volume;
  readonly #fixed: number | undefined;
  readonly #budget: AlertBudget | undefined;

  /** @param volume must have scored the login that is asked about */
  constructor(graph: Graph, volume: Volume, threshold: number | AlertBudget) {
    this.#graph = graph;
    this.#volume = volume;
    this.#fixed = typeof threshold === "number" ? threshold : undefined;
    this.#budget = typeof threshold === "number" ? undefined : threshold;
  }

  /** Threshold in force; 0 while the budget learns. */
  threshold(): number {
    return this.#fixed ?? this.#budget!.threshold(this.#graph.window.watermarkMs);
  }

  /** What was issued today as a share of what the day may raise; undefined with a fixed threshold. */
  budgetSpent(): number | undefined {
    return this.#budget?.spentShare(this.#graph.window.watermarkMs);
  }

  /** Counts a group of the channel that has ended; `peakNats` is -ln of its lowest score. */
  closed(peakNats: number): void {
    this.#budget?.closed(peakNats, this.#graph.window.watermarkMs);
  }

  /**
   * @param isTaken whether another tier has raised an alert of this very login: the burst is noted, and may alert with the next
   * @param suppression the rule that suppresses an alert of volume about this login
   */
  decide(
    score: number,
    login: LoginBytes,
    partition: number,
    isTaken: boolean,
    suppression?: Suppression,
  ): Decision {
    // No budget's threshold is higher; most logins need not ask for it.
    if (score >= Math.max(BUDGET_SCORE_MAX, this.#fixed ?? 0)) return QUIET;
    const threshold = this.threshold();
    const { watermarkMs } = this.#graph.window;
    const slotStartMs = Math.floor(watermarkMs / SLOT_MS) * SLOT_MS;
    const isOfTarget = this.#volume.key === "target";
    const name = isOfTarget ? `to ${login.text(TARGET_HOST)}` : login.text(SOURCE_HOST);
    const peak = Math.round(-Math.log(score) * PER_NAT);
    const tier = tierOf("volume", suppression);
    const open = this.#graph.alertGroups.find(tier, "", name, slotStartMs);
    const isFirst = open === undefined || open.alerts === 0;
    const isRaised =
      !isTaken &&
      // A fixed threshold is taken at its word.
      (this.#volume.isBurst || this.#fixed !== undefined) &&
      score < threshold &&
      (isFirst || peak >= GROWTH * open.alertedPeak);
    if (isRaised && isFirst && suppression === undefined) this.#budget?.issue(watermarkMs);
    const group: AlertGroup = this.#graph.alertGroups.add({
      tier,
      user: "",
      sourceHost: name,
      slotStartMs,
      slotEndMs: slotStartMs + SLOT_MS,
      alerts: isRaised ? 1 : 0,
      peak,
      alertedPeak: isRaised ? peak : 0,
      partition,
    });
    return {
      isAlert: isRaised && suppression === undefined,
      suppressedBy: isRaised ? suppression : undefined,
      threshold,
      group,
      leg: {
        user: "",
        sourceHost: isOfTarget ? "" : name,
        targetHost: login.text(TARGET_HOST),
      },
      isRepetition: !isFirst && this.#volume.isBurst,
    };
  }
}
