import type { Graph } from "../graph-state/graph.ts";
import type { Incident } from "../graph-state/incidents.ts";
import { type LoginBytes, SOURCE_HOST, USER } from "../ingest/login-bytes.ts";
import { type AlertBudget, BUDGET_SCORE_MAX } from "./budget.ts";
import type { Signal } from "./odd-login.ts";
import type { VolumePolicy } from "./volume-decision.ts";

const MS_PER_MINUTE = 60_000;
/** Incidents of the presence tier last a day, those of the budgeted tiers half an hour: a group of the alert budget. */
const PRESENCE_SLOT_MS = 24 * 60 * MS_PER_MINUTE;
const SLOT_MS = 30 * MS_PER_MINUTE;
/** Within an incident that alerted already, the next alert must be odder by this many nats (a factor of e). */
const ODDER_NATS = 1;
/** Incidents keep whole thousandths, so that they add the same in any order. */
export const PER_NAT = 1000;

export type Decision = {
  readonly isAlert: boolean;
  /** What the score was held against; null for the presence tier, which has no threshold. */
  readonly threshold: number | null;
  readonly incident: Incident | undefined;
};

export const QUIET: Decision = { isAlert: false, threshold: null, incident: undefined };

/**
 * Decides which scored logins become alerts, and to which incident they belong.
 *
 * Presence stands outside the budget: each such login is an alert. For the rest an alert is a score below the threshold,
 * fixed or read from the budget; under a budget an incident that alerted already needs something odder still.
 */
export class AlertPolicy {
  readonly #graph: Graph;
  readonly #fixed: number | undefined;
  readonly #budget: AlertBudget | undefined;
  readonly #owns: (partition: number) => boolean;
  readonly #volume: VolumePolicy | undefined;

  /**
   * @param owns whether a partition of the input is this process's; the owner counts an incident that has ended
   * @param volume told of the incidents of its own channel
   */
  constructor(
    graph: Graph,
    threshold: number | AlertBudget,
    owns: (partition: number) => boolean,
    volume?: VolumePolicy,
  ) {
    this.#volume = volume;
    this.#graph = graph;
    this.#owns = owns;
    this.#fixed = typeof threshold === "number" ? threshold : undefined;
    this.#budget = typeof threshold === "number" ? undefined : threshold;
  }

  /** The threshold in force, for display; 0 means that nothing but presence can alert now. */
  threshold(): number {
    return this.#fixed ?? this.#budget!.threshold(this.#graph.window.watermarkMs);
  }

  /** To be called whenever event time has moved on, before the next decision. */
  advance(): void {
    const { watermarkMs } = this.#graph.window;
    for (const incident of this.#graph.incidents.close(watermarkMs)) {
      if (incident.tier === "presence" || !this.#owns(incident.partition)) continue;
      if (incident.tier === "volume") this.#volume?.closed(incident.peak / PER_NAT);
      else this.#budget?.closed(incident.peak / PER_NAT, watermarkMs);
    }
  }

  /** `partition`: the one of the input that the login came from. */
  decide(signal: Signal, score: number, login: LoginBytes, partition: number): Decision {
    if (signal === "presence") {
      const incident = this.#note(
        signal,
        score,
        login.text(USER),
        login.text(SOURCE_HOST),
        PRESENCE_SLOT_MS,
        true,
        partition,
      );
      return { isAlert: true, threshold: null, incident };
    }
    const threshold = this.threshold();
    if (score >= BUDGET_SCORE_MAX && score >= threshold) return QUIET;
    const userName = login.text(USER);
    const hostName = login.text(SOURCE_HOST);
    let isAlert = score < threshold;
    if (isAlert && this.#budget !== undefined) {
      const open = this.#graph.incidents.find(signal, userName, hostName, this.#slotStart(SLOT_MS));
      const nats = -Math.log(score);
      isAlert = open === undefined || open.alerts === 0 || nats >= open.alertedPeak / PER_NAT + ODDER_NATS;
      if (isAlert) this.#budget.issue(this.#graph.window.watermarkMs);
    }
    const incident = this.#note(signal, score, userName, hostName, SLOT_MS, isAlert, partition);
    return { isAlert, threshold, incident };
  }

  #note(
    tier: Signal,
    score: number,
    user: string,
    sourceHost: string,
    slotMs: number,
    isAlert: boolean,
    partition: number,
  ): Incident {
    const slotStartMs = this.#slotStart(slotMs);
    const peak = Math.round(-Math.log(score) * PER_NAT);
    return this.#graph.incidents.add({
      tier,
      user,
      sourceHost,
      slotStartMs,
      slotEndMs: slotStartMs + slotMs,
      alerts: isAlert ? 1 : 0,
      peak,
      alertedPeak: isAlert ? peak : 0,
      partition,
    });
  }

  #slotStart(slotMs: number): number {
    return Math.floor(this.#graph.window.watermarkMs / slotMs) * slotMs;
  }
}
