import type { AlertGroup } from "../graph-state/alert-groups.ts";
import type { Facts } from "../graph-state/facts.ts";
import type { Familiarity } from "../graph-state/familiarity.ts";
import type { Graph } from "../graph-state/graph.ts";
import { HourlyHistogram } from "../graph-state/hourly-histograms.ts";
import { NO_ROW } from "../graph-state/link-row.ts";
import { type LoginBytes, SOURCE_HOST, USER } from "../ingest/login-bytes.ts";
import { type AlertBudget, BINS_PER_NAT, BUDGET_SCORE_MAX, CALIBRATION_DAYS, PEAKS } from "./budget.ts";
import { type Decision, ODDER_NATS, PER_NAT, QUIET, SHADOW_PREFIX, SLOT_MS } from "./decision.ts";
import type { Signal } from "./odd-login.ts";
import { repeatedSinceMs } from "./repetition.ts";
import { SUPPRESSED_PREFIX, type Suppression, tierOf } from "./suppression.ts";
import type { VolumePolicy } from "./volume-policy.ts";

const MS_PER_HOUR = 3_600_000;
const HOURS_PER_DAY = 24;
/** Groups of the presence tier last a day. */
const PRESENCE_SLOT_MS = HOURS_PER_DAY * MS_PER_HOUR;

/**
 * Decides which scored logins become alerts, and counts them by account, source host and slot of time: what a budget is about. Which of them
 * belong to one story is another matter, see `tell`.
 *
 * Presence stands outside the budget: each such login is an alert. For the rest an alert is a score below the threshold,
 * fixed or read from the budget; under a budget a repetition raises none, and a group that alerted already needs
 * something odder still.
 *
 * What a rule suppresses is decided in the same way, in groups of its own: no budget counts them, and what nobody was told of keeps
 * no later alert silent.
 */
export class AlertPolicy {
  readonly #graph: Graph;
  readonly #fixed: number | undefined;
  readonly #budget: AlertBudget | undefined;
  readonly #familiarity: Familiarity;
  readonly #owns: (partition: number) => boolean;
  readonly #volume: VolumePolicy | undefined;
  /**
   * Oddest scores of the groups that ended. Those of a budget are part of the graph, hence of all workers; with a fixed threshold they
   * are of this process alone, and no part of anything: repetitions are among them, which a budget would not count.
   */
  readonly peaks: HourlyHistogram;
  #peakHour = -1;

  /**
   * @param owns whether a partition of the input is this process's; the owner counts a group that has ended
   * @param volume told of the groups of its own channel
   */
  constructor(
    graph: Graph,
    familiarity: Familiarity,
    threshold: number | AlertBudget,
    owns: (partition: number) => boolean,
    volume?: VolumePolicy,
  ) {
    this.#volume = volume;
    this.#graph = graph;
    this.#familiarity = familiarity;
    this.#owns = owns;
    this.#fixed = typeof threshold === "number" ? threshold : undefined;
    this.#budget = typeof threshold === "number" ? undefined : threshold;
    this.peaks = this.#budget === undefined ? new HourlyHistogram() : graph.histograms.get(PEAKS);
  }

  /** The threshold in force, for display; 0 means that nothing but presence can alert now. */
  threshold(): number {
    return this.#fixed ?? this.#budget!.threshold(this.#graph.window.watermarkMs);
  }

  /** What was issued today as a share of what the day may raise; undefined with a fixed threshold. */
  budgetSpent(): number | undefined {
    return this.#budget?.spentShare(this.#graph.window.watermarkMs);
  }

  /** To be called whenever event time has moved on, before the next decision. */
  advance(): void {
    const { watermarkMs } = this.#graph.window;
    for (const group of this.#graph.alertGroups.close(watermarkMs)) {
      if (group.tier === "presence" || !this.#owns(group.partition)) continue;
      if (group.tier.startsWith(SHADOW_PREFIX) || group.tier.startsWith(SUPPRESSED_PREFIX)) continue;
      if (group.tier === "volume") this.#volume?.closed(group.peak / PER_NAT);
      else if (this.#budget !== undefined) this.#budget.closed(group.peak / PER_NAT, watermarkMs);
      else this.#notePeak(group.peak / PER_NAT, watermarkMs);
    }
  }

  #notePeak(peakNats: number, watermarkMs: number): void {
    const hour = Math.floor(watermarkMs / MS_PER_HOUR);
    if (hour !== this.#peakHour) {
      this.#peakHour = hour;
      this.peaks.dropBefore(hour - CALIBRATION_DAYS * HOURS_PER_DAY);
      // Of no segment: nobody else would take them.
      this.peaks.takeDelta(PEAKS);
    }
    this.peaks.record(hour, peakNats * BINS_PER_NAT);
  }

  /**
   * @param facts what the graph knew before the login
   * @param partition the one of the input that the login came from
   * @param suppression the rule that suppresses an alert of this signal about this login
   */
  decide(
    signal: Signal,
    score: number,
    login: LoginBytes,
    facts: Facts,
    partition: number,
    suppression?: Suppression,
  ): Decision {
    return signal === "presence"
      ? this.#ofPresence(score, login, facts, partition, suppression)
      : this.#ofBudget(signal, score, login, facts, partition, suppression);
  }

  #ofPresence(
    score: number,
    login: LoginBytes,
    facts: Facts,
    partition: number,
    suppression: Suppression | undefined,
  ): Decision {
    const { statistics } = this.#graph.links;
    const { userSourceRow: row } = facts;
    const group = this.#note(
      tierOf("presence", suppression),
      score,
      login,
      PRESENCE_SLOT_MS,
      true,
      partition,
    );
    const isRepetition = group.alerts > 1 || (row !== NO_ROW && statistics.alertsOf(row) > 0);
    return {
      isAlert: suppression === undefined,
      suppressedBy: suppression,
      threshold: null,
      group,
      isRepetition,
    };
  }

  #ofBudget(
    signal: Signal,
    score: number,
    login: LoginBytes,
    facts: Facts,
    partition: number,
    suppression: Suppression | undefined,
  ): Decision {
    const tier = tierOf(signal, suppression);
    const repeatedMs = repeatedSinceMs(this.#graph, this.#familiarity, login, facts);
    let isRepetition = repeatedMs < Number.POSITIVE_INFINITY;
    const toldMs = isRepetition
      ? repeatedSinceMs(this.#graph, this.#familiarity, login, facts, "told")
      : repeatedMs;
    const isTold = toldMs < Number.POSITIVE_INFINITY;
    const sinceMs = isTold || suppression === undefined ? toldMs : repeatedMs;
    if (sinceMs < Number.POSITIVE_INFINITY && this.#budget !== undefined)
      return { ...QUIET, isRepetition, repeatsSuppressed: !isTold };
    // No budget's threshold is higher; most logins need not ask for it.
    if (score >= Math.max(BUDGET_SCORE_MAX, this.#fixed ?? 0))
      return isRepetition && this.#budget !== undefined ? { ...QUIET, isRepetition } : QUIET;
    const threshold = this.threshold();
    let isBelow = score < threshold;
    if (isBelow && this.#budget !== undefined) {
      const { alertGroups, window } = this.#graph;
      const open = alertGroups.find(
        tier,
        login.text(USER),
        login.text(SOURCE_HOST),
        this.#slotStart(SLOT_MS),
      );
      const hasAlerted = open !== undefined && open.alerts > 0;
      isRepetition ||= hasAlerted;
      isBelow = !hasAlerted || -Math.log(score) >= open.alertedPeak / PER_NAT + ODDER_NATS;
      if (isBelow && suppression === undefined) this.#budget.issue(window.watermarkMs);
    }
    const group = this.#note(tier, score, login, SLOT_MS, isBelow, partition);
    return {
      isAlert: isBelow && suppression === undefined,
      suppressedBy: isBelow ? suppression : undefined,
      threshold,
      group,
      isRepetition,
    };
  }

  #note(
    tier: string,
    score: number,
    login: LoginBytes,
    slotMs: number,
    isAlert: boolean,
    partition: number,
  ): AlertGroup {
    const slotStartMs = this.#slotStart(slotMs);
    const peak = Math.round(-Math.log(score) * PER_NAT);
    return this.#graph.alertGroups.add({
      tier,
      user: login.text(USER),
      sourceHost: login.text(SOURCE_HOST),
      slotStartMs,
      slotEndMs: slotStartMs + slotMs,
      alerts: isAlert ? 1 : 0,
      peak,
      alertedPeak: isAlert ? peak : 0,
      partition,
    });
  }

  /** Start of the slot that event time is in. */
  #slotStart(slotMs: number): number {
    return Math.floor(this.#graph.window.watermarkMs / slotMs) * slotMs;
  }
}
