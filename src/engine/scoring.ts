import { AlertPolicy } from "../alerts/alert-policy.ts";
import { AlertBudget, BUDGET_SCORE_MAX } from "../alerts/budget.ts";
import { Comparer, type Comparison } from "../alerts/comparison.ts";
import { type Decision, isFinding } from "../alerts/decision.ts";
import { Explainer } from "../alerts/explanation.ts";
import { type GroupPeaks, recentPeaks } from "../alerts/group-peaks.ts";
import type { Reason, Signal, Usual } from "../alerts/odd-login.ts";
import { shadowGroup } from "../alerts/shadow.ts";
import { type Suppression, Suppressions } from "../alerts/suppression.ts";
import { Verdicts } from "../alerts/verdicts.ts";
import { VolumePolicy } from "../alerts/volume-policy.ts";
import type { Config } from "../config/schema.ts";
import { FactReader, Facts } from "../graph-state/facts.ts";
import { Familiarity } from "../graph-state/familiarity.ts";
import { Graph } from "../graph-state/graph.ts";
import { finish, mix } from "../graph-state/hash.ts";
import type { LinkKind } from "../graph-state/link-kinds.ts";
import type { LinkRow } from "../graph-state/link-row.ts";
import { type LoginBytes, SOURCE_HOST } from "../ingest/login-bytes.ts";
import type { Epoch } from "../model/epoch.ts";
import { LinkSignal } from "../model/link-signal.ts";
import { lacksPresence } from "../model/presence.ts";
import { PRESENCE_SHARE, tieredScore } from "../model/score.ts";
import { Surprise } from "../model/surprise.ts";
import { Volume } from "../model/volume/volume.ts";
import { WeakOnlySources } from "../model/weak-only-sources.ts";

/** What a login was scored with. One instance is reused: valid until the next login is scored. */
export class Scored {
  signal: Signal = "surprise";
  score = 1;
  isPresence = false;
  /** Presence has it, whatever its score besides. */
  raisesPresence = false;
  surprise = 1;
  link: number | undefined;
  volume = 1;
  /** Of what raised the alert, if there is one: the score, or the probability of volume. */
  alertScore = 1;
  decision: Decision | undefined;
}

/** What a login that did not happen would be scored as. */
export type Probe = Comparison & {
  /** Which signal would raise an alert. */
  readonly signal: Signal;
  readonly score: number;
  readonly signals: Readonly<Record<Exclude<Signal, "link">, number>> & { readonly link: number | undefined };
  /** Null for the presence tier, which has none. */
  readonly threshold: number | null;
  /** An alert would follow, unless its incident told as much before. */
  readonly isBelowThreshold: boolean;
  readonly reasons: readonly Reason[];
  readonly usual: readonly Usual[];
};

/** What may alert of a login, and the rule by which nobody would be told. */
type Channel = {
  readonly signal: Signal;
  readonly score: number;
  readonly suppression: Suppression | undefined;
};

const isPresence = ({ signal }: Channel): boolean => signal === "presence";

/** A graph and everything that reads it to score a login. Made anew when the graph has to be rebuilt. */
export class Scoring {
  readonly graph: Graph;
  readonly facts = new Facts();
  readonly explainer: Explainer;
  readonly comparer: Comparer;
  readonly weakOnlySources: WeakOnlySources;
  /** True from the first change that a record makes to the graph to the last: if it fails in between, half of it is there. */
  isChanging = false;
  readonly #config: Config;
  readonly #familiarity: Familiarity;
  readonly #reader: FactReader;
  readonly #surprise: Surprise;
  readonly #link: LinkSignal;
  readonly #volume: Volume;
  readonly #policy: AlertPolicy;
  readonly #volumePolicy: VolumePolicy;
  readonly #suppressions: Suppressions;
  readonly verdicts: Verdicts;
  readonly #scored = new Scored();
  readonly #shadowScored = new Scored();
  readonly #probeScored = new Scored();
  /** The signal that the default detector does without; the other detectors are one signal each anyway. */
  readonly #off: Signal | undefined;
  #epoch: Epoch | undefined;
  #challenger: Epoch | undefined;

  /**
   * @param owns whether a partition of the input is this process's: what is counted once is counted by its owner
   * @param verdicts outlive a graph that is built anew
   */
  constructor(config: Config, owns: (partition: number) => boolean, verdicts: Verdicts = new Verdicts()) {
    this.#config = config;
    this.verdicts = verdicts;
    this.#off = config.detector === "default" ? config.withoutSignal : undefined;
    this.graph = new Graph({ links: config.links, window: config.window, judged: verdicts.judged });
    this.#familiarity = new Familiarity(this.graph, config);
    this.#reader = new FactReader(this.graph, this.#familiarity);
    this.weakOnlySources = new WeakOnlySources(this.graph);
    this.#link = new LinkSignal(this.graph, this.#familiarity);
    this.#surprise = new Surprise(this.graph, this.#reader, this.#link, {
      ...config.surprise,
      usesLinks: config.surprise.usesLinks && this.#off !== "link",
    });
    this.#volume = new Volume(this.graph);
    const threshold = config.threshold ?? new AlertBudget(this.graph, config.alertsPerDay);
    this.#volumePolicy = new VolumePolicy(
      this.graph,
      this.#volume,
      config.detector === "volume"
        ? threshold
        : new AlertBudget(this.graph, config.volume.alertsPerDay, "volume/"),
    );
    this.#policy = new AlertPolicy(this.graph, this.#familiarity, threshold, owns, this.#volumePolicy);
    this.#suppressions = new Suppressions(config.suppressions);
    this.explainer = new Explainer(
      this.graph,
      this.#reader,
      this.#surprise,
      this.#link.oddness,
      this.#volume,
      config.window.days,
    );
    this.comparer = new Comparer(
      this.graph,
      this.#reader,
      this.#familiarity,
      this.#off === "link" ? undefined : this.#link,
      config.window.days,
    );
  }

  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** The epoch in the shadow of the one in force. */
  get challenger(): Epoch | undefined {
    return this.#challenger;
  }

  /** Threshold in force for what presence does not raise; 0 while the budget learns. */
  get threshold(): number {
    return this.#policy.threshold();
  }

  /** What each budget has issued today as a share of what the day may raise; none with a fixed threshold. */
  budgetsSpent(): Readonly<Record<"odd" | "volume", number | undefined>> {
    return { odd: this.#policy.budgetSpent(), volume: this.#volumePolicy.budgetSpent() };
  }

  /** What other thresholds would have raised. */
  groupPeaks(): GroupPeaks {
    const { threshold, alertsPerDay } = this.#config;
    return {
      ...recentPeaks(this.#policy.peaks, this.graph.window.watermarkMs),
      scoreMax: Math.min(1, Math.max(BUDGET_SCORE_MAX, threshold ?? 0)),
      alertsPerDay: threshold === undefined ? alertsPerDay : null,
    };
  }

  /** Weight of each feature of the contrast, per standard deviation; undefined until they are learnt. */
  get contrastWeights(): Readonly<Record<string, number>> | undefined {
    return this.#surprise.weights();
  }

  adopt(epoch: Epoch): void {
    this.#epoch = epoch;
    this.#link.adopt(epoch);
  }

  /** An epoch that scores too, and alerts nobody; none any more if undefined. */
  challenge(epoch: Epoch | undefined): void {
    this.#challenger = epoch;
    this.#link.challenge(epoch);
  }

  advance(timeMs: number): void {
    this.graph.advance(timeMs);
    this.#policy.advance();
  }

  /** Adds a record that shows an account at work and is not scored. */
  addEvidence(login: LoginBytes): void {
    const { facts } = this;
    this.#reader.read(login, facts);
    this.#volume.measure(facts);
    this.isChanging = true;
    this.graph.apply(login, facts.ids, facts.rows, this.#volume.isUnusualBurst);
    this.isChanging = false;
  }

  /**
   * Scores a login with the epoch in the shadow, before it is scored with the one in force: what is read of the graph, and explained, is
   * that of the last. Nothing is learnt from it, and nothing of it counts for the other.
   *
   * @returns undefined unless it would have alerted: below the presence tier, which is the same for every epoch
   */
  scoreInShadow(login: LoginBytes, partition: number): Scored | undefined {
    const { facts } = this;
    const { detector, presence } = this.#config;
    this.#reader.read(login, facts);
    const scored = this.#shadowScored;
    scored.isPresence = lacksPresence(login, facts, presence);
    const isWeakOnly = scored.isPresence && this.weakOnlySources.has(facts.ids[SOURCE_HOST]!);
    scored.isPresence &&= !isWeakOnly;
    if (
      detector === "presence" ||
      detector === "volume" ||
      (detector === "default" && scored.isPresence && this.#off !== "presence")
    )
      return undefined;
    scored.link = this.#off === "link" ? undefined : this.#link.probability(login, facts, "challenger");
    scored.surprise = this.#off === "surprise" ? 1 : this.#surprise.score(facts);
    scored.signal = detector === "link" ? "link" : "surprise";
    if (detector === "link") scored.score = scored.link ?? 1;
    else scored.score = detector === "surprise" ? scored.surprise : tieredScore(false, scored.surprise);
    scored.alertScore = scored.score;
    scored.volume = this.#off === "volume" ? 1 : this.#volume.score(facts);
    const { threshold } = this;
    this.isChanging = true;
    const suppression = this.#suppressionOf(scored.signal, scored.score, login);
    const group = shadowGroup(
      this.graph,
      scored.signal,
      scored.score,
      threshold,
      login,
      partition,
      suppression,
    );
    scored.decision = group && {
      isAlert: suppression === undefined,
      suppressedBy: suppression,
      threshold,
      group,
      isRepetition: false,
    };
    return group && scored;
  }

  /** Whether the login scored last has an account or a host that the epoch in force does not know. */
  get metUnseen(): boolean {
    return this.#link.metUnseen;
  }

  /** Scores a login of a partition and decides about an alert; nothing but its group is changed yet. */
  score(login: LoginBytes, partition: number): Scored {
    const scored = this.#scored;
    const { raisesPresence, isWeakOnly } = this.#measure(login, scored);
    if (isWeakOnly) this.weakOnlySources.pass(login.text(SOURCE_HOST));
    this.isChanging = true;
    this.#decide(raisesPresence, login, partition);
    return scored;
  }

  /**
   * What a login would be scored as, and why, if it came now. Nothing is learnt or counted, no alert is raised, and the login is not added. Not
   * to be called between `score` and `add`.
   */
  probe(login: LoginBytes): Probe {
    const scored = this.#probeScored;
    const { raisesPresence } = this.#measure(login, scored);
    const { detector } = this.#config;
    const isVolume = detector === "volume";
    const signal: Signal = raisesPresence
      ? "presence"
      : isVolume || detector === "link"
        ? detector
        : "surprise";
    const { score, isPresence, surprise, link, volume } = scored;
    const plain = login.toLogin();
    return {
      signal,
      score,
      signals: { presence: isPresence ? PRESENCE_SHARE : 1, surprise, link, volume },
      threshold: raisesPresence ? null : this.threshold,
      isBelowThreshold: raisesPresence || score < this.threshold,
      reasons: this.explainer.reasons(signal, plain, this.facts, link),
      usual: this.explainer.usual(this.facts, plain),
      ...this.comparer.compare(login, this.facts),
    };
  }

  /** Reads what the graph knows of a login, and asks each signal. */
  #measure(
    login: LoginBytes,
    scored: Scored,
  ): { readonly raisesPresence: boolean; readonly isWeakOnly: boolean } {
    const { facts } = this;
    const { detector, presence } = this.#config;
    this.#reader.read(login, facts);
    scored.isPresence = lacksPresence(login, facts, presence);
    const isWeakOnly = scored.isPresence && this.weakOnlySources.has(facts.ids[SOURCE_HOST]!);
    scored.isPresence &&= !isWeakOnly;
    scored.link = this.#off === "link" ? undefined : this.#link.probability(login, facts);
    const surprise = this.#surprise.score(facts);
    scored.surprise = this.#off === "surprise" ? 1 : surprise;
    const raisesPresence =
      scored.isPresence && this.#off !== "presence" && (detector === "default" || detector === "presence");
    const volume = this.#volume.score(facts);
    scored.volume = this.#off === "volume" ? 1 : volume;
    if (detector === "volume") scored.score = scored.volume;
    else if (detector === "link") scored.score = scored.link ?? 1;
    else if (detector === "surprise") scored.score = scored.surprise;
    else if (detector === "presence" && !scored.isPresence) scored.score = 1;
    else scored.score = tieredScore(raisesPresence, scored.surprise);
    scored.raisesPresence = raisesPresence;
    return { raisesPresence, isWeakOnly };
  }

  /** The stronger of two channels that would both alert has the login: presence, then the one with the lower probability. */
  #decide(raisesPresence: boolean, login: LoginBytes, partition: number): void {
    const scored = this.#scored;
    const { score, volume } = scored;
    const { detector } = this.#config;
    const isAlone = detector === "volume";
    const hasVolume = isAlone || (detector === "default" && this.#off !== "volume");
    const isFirst = isAlone || (hasVolume && !raisesPresence && volume < scored.surprise);
    const signal = raisesPresence ? "presence" : detector === "link" ? "link" : "surprise";
    const ofSignal = isAlone ? undefined : this.#suppressionOf(signal, score, login);
    const ofVolume = hasVolume ? this.#suppressionOf("volume", volume, login) : undefined;
    if (ofSignal !== undefined || ofVolume !== undefined) {
      const main: Channel = { signal, score, suppression: ofSignal };
      const burst: Channel = { signal: "volume", score: volume, suppression: ofVolume };
      const both = isFirst ? [burst, main] : [main, burst];
      this.#decideSuppressed(isAlone ? [burst] : hasVolume ? both : [main], login, partition);
      return;
    }
    if (isFirst) {
      this.#settle("volume", volume, this.#volumePolicy.decide(volume, login, partition, false));
      if (isAlone || scored.decision!.isAlert) return;
    }
    this.#settle(signal, score, this.#policy.decide(signal, score, login, this.facts, partition));
    if (isFirst || !hasVolume) return;
    const { isAlert } = scored.decision!;
    const burst = this.#volumePolicy.decide(volume, login, partition, isAlert);
    if (burst.isAlert) this.#settle("volume", volume, burst);
  }

  /**
   * The same where a rule holds for a channel: one that is suppressed comes after those that are not, or a rule would hide more than
   * it names. Surprise, which presence else stands in front of, has its say too.
   *
   * @param channels the stronger one first
   */
  #decideSuppressed(channels: readonly Channel[], login: LoginBytes, partition: number): void {
    const all = [...channels];
    if (this.#config.detector === "default" && this.#off !== "surprise" && channels.some(isPresence)) {
      const score = tieredScore(false, this.#scored.surprise);
      const weaker = all.findIndex((channel) => channel.signal === "volume" && channel.score > score);
      const suppression = this.#suppressionOf("surprise", score, login);
      all.splice(weaker < 0 ? all.length : weaker, 0, { signal: "surprise", score, suppression });
    }
    const told = all.filter(({ suppression }) => suppression === undefined);
    const suppressed = all.filter(({ suppression }) => suppression !== undefined);
    let isTaken = false;
    for (const { signal, score, suppression } of [...told, ...suppressed]) {
      const isVolume = signal === "volume";
      if (isTaken && !isVolume) continue;
      const decision = isVolume
        ? this.#volumePolicy.decide(score, login, partition, isTaken, suppression)
        : this.#policy.decide(signal, score, login, this.facts, partition, suppression);
      if (!isTaken && (isFinding(decision) || !isVolume || all.length === 1))
        this.#settle(signal, score, decision);
      isTaken ||= isFinding(decision);
    }
  }

  /** Asked of those alone that may alert: no budget's threshold is higher. */
  #suppressionOf(signal: Signal, score: number, login: LoginBytes): Suppression | undefined {
    if (score >= Math.max(BUDGET_SCORE_MAX, this.#config.threshold ?? 0)) return undefined;
    return this.#suppressions.find(signal, login) ?? this.verdicts.suppressionOf(signal, login);
  }

  #settle(signal: Signal, alertScore: number, decision: Decision): void {
    this.#scored.signal = signal;
    this.#scored.alertScore = alertScore;
    this.#scored.decision = decision;
  }

  /** Adds the login scored last, which was read from `offset` of a partition. */
  add(login: LoginBytes, partition: number, offset: number): void {
    const decision = this.#scored.decision!;
    const { isRepetition, suppressedBy } = decision;
    if (!isRepetition) this.#surprise.learn(login, this.facts, originKey(partition, offset));
    this.#volume.learn();
    const oddNews = this.#surprise.oddNewsOf(login, this.facts);
    this.graph.apply(login, this.facts.ids, this.facts.rows, this.#volume.isUnusualBurst);
    if (oddNews !== undefined) this.graph.markOddNews(oddNews, this.facts.ids);
    if (isFinding(decision)) {
      // Suppressed or not: what is learnt of the link does not depend on who is told.
      const isAbout = (kind: LinkKind, row: LinkRow): boolean => this.#isAbout(login, kind, row);
      this.graph.markAlert(login, this.facts.ids, suppressedBy !== undefined, isAbout);
    }
    this.isChanging = false;
  }

  /** Whether the alert of the login scored last is about one of its links: one that is new, or lacks presence. */
  #isAbout(login: LoginBytes, kind: LinkKind, row: LinkRow): boolean {
    if (this.#scored.signal === "presence" && kind === this.#reader.userSource) return true;
    return !this.#familiarity.isFamiliar(row, login.timeMs);
  }
}

/** Uniform hash of where a login came from, below 2 ** 52. */
function originKey(partition: number, offset: number): number {
  const high = Math.floor(offset / 2 ** 32);
  const lane = (seed: number): number => finish(mix(mix(mix(seed, partition), high), offset)) >>> 0;
  return (lane(1) & 0xfffff) * 2 ** 32 + lane(2);
}
