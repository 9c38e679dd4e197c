import { z } from "zod";
import type { Neighbour } from "../rgcn.ts";

/** What links say about an entity at one end of them: those of one role, which is a kind of link and an end, or all. */
export type Totals = {
  /** Distinct peers. */
  readonly degree: number;
  readonly logins: number;
  readonly weak: number;
  readonly failures: number;
  /** Event time, ms; +Infinity without links. */
  readonly firstMs: number;
};

export const NO_TOTALS: Totals = {
  degree: 0,
  logins: 0,
  weak: 0,
  failures: 0,
  firstMs: Number.POSITIVE_INFINITY,
};

/** Said of each role of an entity; and of all roles together. */
const ROLE_MEASURES = ["degree", "logins"] as const;
const WHOLE_MEASURES = ["ageHours", "weakShare", "failureShare"] as const;
const MEASURES = [...ROLE_MEASURES, ...WHOLE_MEASURES] as const;
type Measure = (typeof MEASURES)[number];

/** Stands for all roles together. */
export const WHOLE = "";

export const nodeFeatureSchema = z.strictObject({
  /** Kind of entity that has it. */
  kind: z.string(),
  /** Such as `user-targetHost/to`; empty: all links of the entity. */
  role: z.string(),
  measure: z.enum(MEASURES),
  /** Where its values are cut, ascending. */
  edges: z.array(z.number()).max(64),
});
/**
 * One number that describes an entity, cut at its quantiles: each bin is a node of the graph, linked with the entities whose value falls into it. So
 * outliers have no leverage, a feature may act in any shape, and an entity that the model has never seen gets its features as it gets its neighbours.
 */
export type NodeFeature = z.infer<typeof nodeFeatureSchema>;

/** Kind of the nodes that stand for bins, and the relation from them to entities, along which messages pass and which is not trained as a link. */
export const FEATURE_KIND = "feature";
export const FEATURE_RELATION = "features";

/** Name of what an entity is at one end of the links of a class. */
export function roleOf(linkClass: string, end: "from" | "to"): string {
  return `${linkClass}/${end}`;
}

/** Bins of a feature, if so many of its quantiles differ. */
const BINS_MAX = 8;

/** The features of entities of a kind that may have such roles, not cut yet. */
export function featuresOf(kind: string, roles: readonly string[]): Omit<NodeFeature, "edges">[] {
  return [
    ...roles.flatMap((role) => ROLE_MEASURES.map((measure) => ({ kind, role, measure }))),
    ...WHOLE_MEASURES.map((measure) => ({ kind, role: WHOLE, measure })),
  ];
}

/** What a feature says of an entity, larger = more: peers, logins, hours since its first login, shares in [0, 1]. */
export function featureValue(
  { measure }: Pick<NodeFeature, "measure">,
  totals: Totals,
  nowMs: number,
): number {
  return VALUES[measure](totals, nowMs);
}

const VALUES: Readonly<Record<Measure, (totals: Totals, nowMs: number) => number>> = {
  degree: ({ degree }) => degree,
  logins: ({ logins }) => logins,
  ageHours: ({ firstMs }, nowMs) => Math.max(0, nowMs - firstMs) / 3_600_000,
  weakShare: ({ weak, logins }) => (logins === 0 ? 0 : weak / logins),
  failureShare: ({ failures, logins }) => (logins === 0 ? 0 : failures / logins),
};

/** Where to cut: the quantiles that differ. */
export function edgesOf(values: Float64Array): number[] {
  const sorted = values.toSorted();
  const edges = new Set<number>();
  for (let i = 1; i < BINS_MAX; i++) edges.add(sorted[Math.floor((i * sorted.length) / BINS_MAX)]!);
  // Nothing lies below the least value.
  edges.delete(sorted[0]!);
  return [...edges];
}

/** How many edges a value reaches. */
export function binOf(edges: readonly number[], value: number): number {
  let bin = 0;
  while (bin < edges.length && value >= edges[bin]!) bin++;
  return bin;
}

/** Name of the node that stands for a bin. */
export function binName({ kind, role, measure }: Omit<NodeFeature, "edges">, bin: number): string {
  return `${kind}/${role === WHOLE ? "" : `${role}/`}${measure}/${bin}`;
}

/** The bins of a model as neighbours of entities that it does not know. */
export class FeatureNeighbours {
  /** By kind of entity: features, and the rows of their bins. */
  readonly #byKind = new Map<
    string,
    readonly { readonly feature: NodeFeature; readonly rows: readonly number[] }[]
  >();
  readonly #message: number;

  /**
   * @param rowOf the model's row of a bin's name
   * @param message the model's relation from bins to entities
   */
  constructor(features: readonly NodeFeature[], rowOf: (name: string) => number, message: number) {
    this.#message = message;
    for (const [kind, ofKind] of Map.groupBy(features, (feature) => feature.kind)) {
      const withRows = ofKind.map((feature) => ({
        feature,
        rows: Array.from({ length: feature.edges.length + 1 }, (_, bin) => rowOf(binName(feature, bin))),
      }));
      this.#byKind.set(kind, withRows);
    }
  }

  /**
   * The bins of an entity of some kind, as it is now.
   *
   * @param totalsOf of a role of the entity, or of all with `WHOLE`
   */
  of(kind: string, totalsOf: (role: string) => Totals, nowMs: number): Neighbour[] {
    return (this.#byKind.get(kind) ?? []).map(({ feature, rows }) => ({
      message: this.#message,
      row: rows[binOf(feature.edges, featureValue(feature, totalsOf(feature.role), nowMs))]!,
    }));
  }
}
