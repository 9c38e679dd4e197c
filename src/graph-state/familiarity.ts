import type { Graph } from "./graph.ts";
import { type LinkRow, NO_ROW } from "./link-row.ts";

const MS_PER_HOUR = 3_600_000;

/** Ages from which a link is familiar, in hours. */
export type FamiliarityOptions = {
  readonly familiarAfterHours: number;
  /** The same of a link that an alert named. */
  readonly alertedFamiliarAfterHours: number;
};

/**
 * Which links are familiar: nothing that is repeated becomes normal at once. One that an alert named takes longer, so that an
 * attack that goes on has not become normal before somebody looked at it. Whoever does look has the last word: what is said to be in
 * order is familiar like any other, and what was an attack never is.
 */
export class Familiarity {
  readonly #graph: Graph;
  readonly #afterMs: number;
  readonly #alertedAfterMs: number;

  constructor(graph: Graph, { familiarAfterHours, alertedFamiliarAfterHours }: FamiliarityOptions) {
    this.#graph = graph;
    this.#afterMs = familiarAfterHours * MS_PER_HOUR;
    this.#alertedAfterMs = Math.max(familiarAfterHours, alertedFamiliarAfterHours) * MS_PER_HOUR;
  }

  isFamiliar(row: LinkRow, timeMs: number): boolean {
    if (row === NO_ROW) return false;
    const { statistics } = this.#graph.links;
    const ageMs = timeMs - statistics.firstMsOf(row);
    if (ageMs < this.#afterMs) return false;
    // Most links are old, and nobody has judged any: what alerts named them need not be read.
    if (ageMs >= this.#alertedAfterMs && !this.#graph.isJudged) return true;
    if (statistics.alertsOf(row) === 0) return true;
    const judgement = this.#graph.judgementOf(row);
    if (judgement === "malicious") return false;
    return judgement === "benign" || ageMs >= this.#alertedAfterMs;
  }
}
