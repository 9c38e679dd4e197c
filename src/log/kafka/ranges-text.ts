/** Ranges shown; a worker may have thousands of partitions. */
const RANGES_MAX = 20;

/** Numbers in ascending order as `0-5, 7`; `none` if there are none. */
export function rangesText(numbers: readonly number[]): string {
  if (numbers.length === 0) return "none";
  const ranges: [first: number, last: number][] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range !== undefined && number === range[1] + 1) range[1] = number;
    else ranges.push([number, number]);
  }
  const shown = ranges
    .slice(0, RANGES_MAX)
    .map(([first, last]) => (first === last ? first : `${first}-${last}`));
  if (ranges.length > RANGES_MAX) shown.push(`and others, ${numbers.length} in all`);
  return shown.join(", ");
}
