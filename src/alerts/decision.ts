import type { Incident } from "../graph-state/incidents.ts";
import type { Suppression } from "./suppression.ts";

const MS_PER_MINUTE = 60_000;
/** Incidents of the budgeted tiers last half an hour: a group of the alert budget. */
export const SLOT_MS = 30 * MS_PER_MINUTE;
/** Within an incident that alerted already, the next alert must be odder by this many nats (a factor of e). */
export const ODDER_NATS = 1;
/** Incidents keep whole thousandths, so that they add the same in any order. */
export const PER_NAT = 1000;

/** Before the tier of incidents of what an epoch in the shadow would have raised: no budget counts them. */
export const SHADOW_PREFIX = "shadow-";

export type Decision = {
  readonly isAlert: boolean;
  /** The rule but for which it would be an alert. */
  readonly suppressedBy?: Suppression | undefined;
  /** What the score was held against; null for the presence tier, which has no threshold. */
  readonly threshold: number | null;
  /** What is counted of the incident in this slot of time. */
  readonly incident: Incident | undefined;
  /**
   * Start of the slot in which the incident that the login belongs to began, ms since 1970: together with tier, user and source
   * host the incident's identity. Undefined if it belongs to none.
   */
  readonly incidentStartMs: number | undefined;
  /** Tier of that incident where nothing is counted of it; the signal's own if left out. */
  readonly tier?: string;
  /** True if it adds nothing to what the incident has told: it is not learnt from, or an attack would become normal. */
  readonly isRepetition: boolean;
};

/** Whether a finding is written: of an alert, or of one that is suppressed. */
export function isFinding({ isAlert, suppressedBy }: Decision): boolean {
  return isAlert || suppressedBy !== undefined;
}

export const QUIET: Decision = {
  isAlert: false,
  threshold: null,
  incident: undefined,
  incidentStartMs: undefined,
  isRepetition: false,
};
