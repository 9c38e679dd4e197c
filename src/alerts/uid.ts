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
 * Identity of an incident: that of the alert that began it, under another name.
 *
 * @returns 32 lower-case hex digits
 */
export function incidentUid(firstAlertUid: string): string {
  return digest(["oddlink incident 2", firstAlertUid]);
}

/**
 * Identity of the record that says that an incident is closed.
 *
 * @returns 32 lower-case hex digits
 */
export function closingUid(incident: string): string {
  return digest(["oddlink closing 1", incident]);
}

/**
 * JSON frames the parts: no two lists have the same text, wherever commas and quotes stand. It also escapes unpaired
 * surrogates, which UTF-8 would all turn into one replacement character. The first part keeps kinds of uid apart.
 */
function digest(parts: readonly (string | number)[]): string {
  return hash("sha256", JSON.stringify(parts)).slice(0, UID_HEX_DIGITS);
}
