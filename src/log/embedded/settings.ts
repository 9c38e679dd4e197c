import { OddlinkError } from "../../errors.ts";
import type { Store } from "./store.ts";

/**
 * Notes the settings that the state of a store depends on, or checks them if the store was written before. A setting that
 * is noted and no longer counts may differ.
 *
 * @param settings JSON object
 * @throws {OddlinkError} STORE_MISMATCH with each setting that differs, old and new
 */
export function expectSettings(store: Store, settings: string): void {
  const noted = store.meta("settings");
  if (noted === undefined) {
    store.setMeta("settings", settings);
    return;
  }
  const before = new Map(leaves(JSON.parse(noted)));
  const changes = leaves(JSON.parse(settings))
    .filter(([path, value]) => before.get(path) !== value)
    .map(([path, value]) => `\n  ${path}: ${before.get(path) ?? "not set"} in the store, ${value} now`);
  if (changes.length === 0) {
    // Earlier versions noted the settings of Kafka too, secrets among them.
    if (noted !== settings) store.setMeta("settings", settings);
    return;
  }
  throw new OddlinkError(
    "STORE_MISMATCH",
    `${store.path} was written with other settings; use the same ones, or another --store${changes.join("")}`,
  );
}

/** Each setting by its path, with its value as JSON; a list is one value. */
function leaves(tree: object, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? leaves(value, `${path}${key}.`)
      : [[path + key, JSON.stringify(value)]],
  );
}
