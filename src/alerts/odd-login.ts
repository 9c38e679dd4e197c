import type { Leg } from "../graph-state/stories.ts";
import type { Login } from "../ingest/login.ts";
import type { Comparison } from "./comparison.ts";
import type { Suppression } from "./suppression.ts";

/** The four questions asked about a login, in the order in which every alert lists them. */
export const SIGNALS = ["presence", "surprise", "link", "volume"] as const;
export type Signal = (typeof SIGNALS)[number];

/** The record a login was decoded from. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The record's own event id, where its source gives one. */
  readonly originalUid?: string;
}

/** One of the reasons why a login is odd; a list of them runs from the strongest to the weakest. */
export interface Reason {
  readonly signal: Signal;
  /** Stable machine name of what was measured, such as `targetGivenUser`. */
  readonly feature: string;
  /** A sentence for the analyst, with the numbers in it. */
  readonly text: string;
  readonly observed: string;
  readonly usual: string;
  /** Share of the oddness in the signal's own unit; larger is odder, 0 or less explains nothing. */
  readonly contribution: number;
}

/** What is normal for one entity of the login; the most frequent values first, as many as an analyst would read. */
export interface Usual {
  /** What the values are, such as `sourceHost`. */
  readonly parameter: string;
  readonly entity: string;
  readonly entityKind: "user" | "host";
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

/**
 * One odd login with everything its finding is made of. Plain data: it survives `JSON.stringify` and a worker boundary.
 *
 * Times are milliseconds of event time since 1970; probabilities are tail probabilities in [0, 1], low is odd.
 */
export interface OddLogin {
  /** `alertUid` of the origin and the detector. */
  readonly uid: string;
  readonly incidentUid: string;
  readonly login: Login;
  readonly origin: Origin;
  /** The signal whose tier or budget raised the alert. */
  readonly signal: Signal;
  readonly detector: string;
  readonly score: number;
  /** What the score was held against; null for a tier that has no threshold. */
  readonly threshold: number | null;
  /** Tail probability by signal; a signal that could not be computed, such as link before the first epoch, is absent. */
  readonly signals: Readonly<Partial<Record<Signal, number>>>;
  /** The trained model that took part, if any. */
  readonly epoch: { readonly number: number; readonly digest: string } | null;
  readonly reasons: readonly Reason[];
  readonly usual: readonly Usual[];
  /** What it is held against besides, if somebody has compared. */
  readonly comparison?: Comparison;
  /** When the user was first and last seen before this login; null if never. */
  readonly firstSeenMs: number | null;
  readonly lastSeenMs: number | null;
  /** Alerts of this incident so far, this one included. */
  readonly incidentCount: number;
  /** Time of the incident's first alert, if the caller keeps it; a first alert needs none. */
  readonly incidentFirstMs?: number;
  /** Who came from where, to where, in the alerts of the incident, this one included; bounded. */
  readonly incidentLegs?: readonly Leg[];
  /** Uids of other open incidents of the same people or hosts. */
  readonly relatedIncidents?: readonly string[];
  /** The rule by which nobody is told of it. */
  readonly suppression?: Suppression;
  /** What the engine has still to learn about the account, in words; null once it has. */
  readonly learning: string | null;
  /** The wall clock when scored. Null in a replay, so that its findings have the same bytes each time. */
  readonly processedTimeMs: number | null;
}
