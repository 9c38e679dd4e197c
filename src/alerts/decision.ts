import type { AlertGroup } from "../graph-state/alert-groups.ts";
import type { Leg } from "../graph-state/stories.ts";
import type { Suppression } from "./suppression.ts";

const MS_PER_MINUTE = 60_000;
/** Groups of the budgeted tiers last half an hour. */
export const SLOT_MS = 30 * MS_PER_MINUTE;
/** Within a group that alerted already, the next alert must be odder by this many nats (a factor of e). */
export const ODDER_NATS = 1;
/** Groups keep whole thousandths, so that they add the same in any order. */
export const PER_NAT = 1000;

/** Before the tier of groups of what an epoch in the shadow would have raised: no budget counts them. */
export const SHADOW_PREFIX = "shadow-";

export type Decision = {
  readonly isAlert: boolean;
  /** The rule but for which it would be an alert. */
  readonly suppressedBy?: Suppression | undefined;
  /** What the score was held against; null for the presence tier, which has no threshold. */
  readonly threshold: number | null;
  /** What the budget counts: the group of alerts of this slot of time. */
  readonly group: AlertGroup | undefined;
  /** Whom and what the alert is about, where that is not the login's account, source and target. */
  readonly leg?: Leg;
  /** True if what the login repeats was suppressed, and nobody was told. */
  readonly repeatsSuppressed?: boolean;
  /** True if it adds nothing to what the group has told: it is not learnt from, or an attack would become normal. */
  readonly isRepetition: boolean;
};

/** Whether a finding is written: of an alert, or of one that is suppressed. */
export function isFinding({ isAlert, suppressedBy }: Decision): boolean {
  return isAlert || suppressedBy !== undefined;
}

export const QUIET: Decision = {
  isAlert: false,
  threshold: null,
  group: undefined,
  isRepetition: false,
};
