/** A number as people read it: thousands with commas, small ones with a few digits. */
export function text(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

export type Row = {
  readonly name: string;
  readonly values: readonly number[];
  /** What is to be reached; a ratio of at most 1 reaches it, or of at least 1 where more is better. */
  readonly goal?: { readonly value: number; readonly isMore?: boolean };
};

/** Least, median and greatest of repeated measurements, and the ratio of the median to the goal where there is one. */
export function printTable(title: string, rows: readonly Row[]): void {
  const cells = rows.map(({ name, values, goal }) => {
    const sorted = values.toSorted((a, b) => a - b);
    const median = sorted[(sorted.length - 1) >> 1]!;
    const ratio =
      goal === undefined
        ? ""
        : `${text(median / goal.value)} of the goal, ${goal.isMore ? "at least" : "at most"} ${text(goal.value)}`;
    return [name, text(sorted[0]!), text(median), text(sorted.at(-1)!), ratio];
  });
  const header = [title, "min", "median", "max", ""];
  const widths = header.map((_, i) => Math.max(...[header, ...cells].map((row) => row[i]!.length)));
  for (const row of [header, ...cells]) {
    const padded = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
    console.log([...padded.slice(0, 4), row[4]].join("  ").trimEnd());
  }
  console.log();
}
