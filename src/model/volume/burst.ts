import { MINUTES_KEPT } from "../../graph-state/recent-minutes.ts";

/** What is left of a login's weight from one minute to the next: half of it after six and a half minutes. */
const FADING = 0.9;
/** As if a key had been known for a day before it was first seen, and used ten times in it. */
const PRIOR_LOGINS = 10;
const PRIOR_MINUTES = 24 * 60;
/** From so many nats on, one in ten million million, logins are a burst. */
export const BURST_NATS = 30;
/** What a pair of hosts does on so many days is its way: it counts as usual, burst or not. */
export const USUAL_DAYS = 7;

/** Weight of a login by its age in minutes. */
export const WEIGHTS: Float64Array = Float64Array.from({ length: MINUTES_KEPT }, (_, age) => FADING ** age);
/** So many minutes of logins at an even pace weigh as much as all that fade: their mean is held against that of so many. */
export const MEMORY_MINUTES: number = WEIGHTS.reduce((sum, weight) => sum + weight, 0);

/** Logins that a key is expected to have in a minute, by its calm logins and how long it is known. */
export function expectedPerMinute(calmLogins: number, knownMinutes: number): number {
  return (Math.max(calmLogins, 0) + PRIOR_LOGINS) / (Math.max(knownMinutes, 0) + PRIOR_MINUTES);
}

/**
 * How odd so many logins are: -ln P(at least `faded`) of the geometric distribution with the mean that is expected. Of all
 * counts with a given mean that one assumes least; machines are far from the even pace of a Poisson process.
 *
 * @param faded logins of the newest minutes, each times its weight, the login itself among them
 * @returns nats, 0 or more
 */
export function nats(faded: number, calmLogins: number, knownMinutes: number): number {
  return faded * Math.log1p(1 / (MEMORY_MINUTES * expectedPerMinute(calmLogins, knownMinutes)));
}
