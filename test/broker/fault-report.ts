import type { FaultReport } from "./fault-run.ts";

/** Faults by kind with their recovery, and the verdict. */
export function faultTable(report: FaultReport): string {
  const { faults, findings, totals, seconds, verifySeconds, failures } = report;
  const kinds = Map.groupBy(faults, ({ kind }) => kind);
  const row = (name: string, cells: readonly string[]): string =>
    `${name.padEnd(28)}${cells.map((cell) => cell.padStart(9)).join("")}`;
  const times = (of: readonly { readonly recoveryMs: number }[]): string[] => {
    const sorted = of.map(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b);
    return [
      String(sorted.length),
      ...[0.5, 0.99, 1].map((share) => {
        const at = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
        return ((sorted[at] ?? 0) / 1000).toFixed(1);
      }),
    ];
  };
  const verdicts = Map.groupBy(findings, ({ verdict }) => verdict);
  return [
    row("fault", ["count", "p50 s", "p99 s", "max s"]),
    ...[...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, of]) => row(kind, times(of))),
    row("all", times(faults)),
    "",
    `${totals.records} records: ${totals.scored} scored, ${totals.deadLetters} dead letters, ` +
      `${totals.repeated} repetitions left out; ${totals.alerts} alerts`,
    `${Math.round(seconds)} s of faults, ${Math.round(verifySeconds)} s of verification, ` +
      `${failures.length} workers ended by themselves`,
    ...[...verdicts].map(([verdict, of]) => `${verdict}${of.length > 1 ? ` (${of.length})` : ""}`),
    ...findings.map(({ verdict, detail }) => `  ${verdict}: ${detail}`),
  ].join("\n");
}
