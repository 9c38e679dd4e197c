import assert from "node:assert/strict";
import { hash } from "node:crypto";
import type { Origin } from "./odd-login.ts";

/** 128 bits: among a billion alerts, the chance that any two share a uid is below 1e-20. */
const UID_HEX_DIGITS = 32;

/**
 * Identity of one alert: the same record judged by the same detector gives the same uid on every worker and in every
 * replay, so whoever reads alerts twice can tell.
 *
 * @returns 32 lower-case hex digits
 */
export function alertUid(parts: Omit<Origin, "originalUid"> & { readonly detector: string }): string {
  const { topic, partition, offset, detector } = parts;
  assert(Number.isSafeInteger(partition), `partition is no integer: ${partition}`);
  assert(Number.isSafeInteger(offset), `offset is no integer: ${offset}`);
  return digest(["oddlink alert 1", topic, partition, offset, detector]);
}

/**
 * Identity of one incident: alerts of the same tier, user and source host within one slot of event time.
 *
 * @param parts.slotStartMs start of the slot, in ms since 1970
 * @returns 32 lower-case hex digits
 */
export function incidentUid(parts: {
  readonly tier: string;
  readonly user: string;
  readonly sourceHost: string;
  readonly slotStartMs: number;
}): string {
  const { tier, user, sourceHost, slotStartMs } = parts;
  assert(Number.isSafeInteger(slotStartMs), `slotStartMs is no integer: ${slotStartMs}`);
  return digest(["oddlink incident 1", tier, user, sourceHost, slotStartMs]);
}

/**
 * JSON frames the parts: no two lists have the same text, wherever commas and quotes stand. It also escapes unpaired
 * surrogates, which UTF-8 would all turn into one replacement character. The first part keeps kinds of uid apart.
 */
function digest(parts: readonly (string | number)[]): string {
  return hash("sha256", JSON.stringify(parts)).slice(0, UID_HEX_DIGITS);
}
