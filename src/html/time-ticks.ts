const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Distances of labels that a reader expects. */
const STEPS_MS = [1, 3, 6, 12, 24, 48, 7 * 24, 14 * 24, 28 * 24].map((hours) => hours * HOUR_MS);

/** Round times between two, about `count` of them, each with its text in UTC: hours where they are close, else days. */
export function timeTicks([from, to]: readonly [number, number], count: number): [number, string][] {
  // Rather a label more than one less.
  const wanted = (0.75 * (to - from)) / count;
  const last = STEPS_MS.at(-1)!;
  const step = STEPS_MS.find((candidate) => candidate >= wanted) ?? Math.ceil(wanted / last) * last;
  const ticks: [number, string][] = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
    const text = new Date(time).toISOString();
    const day = text.slice(0, text.indexOf("T"));
    ticks.push([time, step >= DAY_MS ? day : `${day.slice(-5)} ${text.slice(-13, -8)}`]);
  }
  return ticks;
}
