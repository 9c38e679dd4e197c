import assert from "node:assert/strict";

/** A sample of Prometheus' text format. */
export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g;

/** The samples of an exposition; `promtool check metrics` says in test/monitoring whether it is one. */
export function samplesOf(text: string): Sample[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name, labels = "", value] = LINE.exec(line) ?? assert.fail(`no sample: ${line}`);
      const found = [...labels.matchAll(LABEL)].map(([, label, text]) => [label!, text!] as const);
      return { name: name!, labels: Object.fromEntries(found), value: Number(value) };
    });
}

/** The sum of the samples of a name that have these labels, among others; 0 if there are none. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  return samples
    .filter(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, text]) => sample.labels[label] === text),
    )
    .reduce((sum, { value }) => sum + value, 0);
}

/** Fails unless what was consumed is the sum of what became of it. @returns what was consumed */
export function assertBalanced(samples: readonly Sample[]): number {
  const consumed = sumOf(samples, "oddlink_logins_consumed_total");
  const outcomes = [
    "oddlink_logins_scored_total",
    "oddlink_logins_evidence_total",
    "oddlink_logins_ignored_total",
    "oddlink_logins_duplicate_total",
    "oddlink_dead_letters_total",
  ];
  assert.equal(
    outcomes.reduce((sum, name) => sum + sumOf(samples, name), 0),
    consumed,
  );
  return consumed;
}
