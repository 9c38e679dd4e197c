import type { ScheduleResult } from "./schedule.ts";

/** What many schedules come to. */
export class ScheduleSums {
  readonly failed: ScheduleResult[] = [];
  schedules = 0;
  /** Schedules in which nothing went wrong, but that a worker was stopped in good order: they show nothing. */
  faultless = 0;
  records = 0;
  alerts = 0;
  rebuilds = 0;
  readonly faultsByKind = new Map<string, number>();
  readonly killsByWork = new Map<string, number>();

  add(result: ScheduleResult): void {
    this.schedules++;
    if (!isAccounted(result)) this.failed.push(result);
    const faults = Object.entries(result.faults);
    if (faults.every(([name, count]) => name === "stop" || count === 0)) this.faultless++;
    addAll(this.faultsByKind, faults);
    addAll(this.killsByWork, Object.entries(result.killsByWork));
    this.records += result.logins;
    this.alerts += result.alerts;
    this.rebuilds += result.rebuilds;
  }

  get faults(): number {
    return [...this.faultsByKind.values()].reduce((sum, count) => sum + count, 0);
  }

  describe(): string {
    const list = (counts: ReadonlyMap<string, number>): string =>
      [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
    return (
      `${this.schedules} schedules, ${this.faults} faults (${list(this.faultsByKind)}), ` +
      `${this.faultless} schedules without any, kills in the middle of: ${list(this.killsByWork)}; ` +
      `${this.records} records, ${this.alerts} alerts, ${this.rebuilds} rebuilds of a graph, ${this.failed.length} failed`
    );
  }
}

export function isAccounted({ findings }: Pick<ScheduleResult, "findings">): boolean {
  return findings.length === 1 && findings[0]!.verdict === "ALL-RECORDS-ACCOUNTED";
}

/** The seed, what is wrong with it, and what happened in it. */
export function describeFailure({ seed, findings, faults }: ScheduleResult): string {
  return `seed ${seed}: ${JSON.stringify(findings.slice(0, 3))} after ${JSON.stringify(faults)}`;
}

function addAll(sums: Map<string, number>, counts: readonly (readonly [string, number])[]): void {
  for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
}
