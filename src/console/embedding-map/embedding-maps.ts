import { LRUCache } from "lru-cache";
import type { Epoch } from "../../model/epoch.ts";
import type { EngineView } from "../engine-view.ts";
import { entitySample, type SampledEntity } from "./entity-sample.ts";
import { projectInThread } from "./projection-thread.ts";

/** What can be told apart on a screen, and laid out in seconds. */
export const MAP_ENTITIES_MAX = 1500;
/** That of the epoch in force, and of the one before, which may come back. */
const MAPS_KEPT = 2;
/** The map of an epoch is the same wherever, and whenever, it is drawn. */
const SEED = 1;

export type MapPoint = Pick<SampledEntity, "kind" | "name"> & {
  /** From 0 to 1. */
  readonly x: number;
  readonly y: number;
  /** From 0, the largest. */
  readonly cluster: number;
};

export type EmbeddingMap = {
  readonly number: number;
  readonly digest: string;
  /** Users and hosts of the epoch, of which the points are a sample. */
  readonly entities: number;
  readonly clusters: number;
  readonly points: readonly MapPoint[];
};

export type MapAnswer =
  | { readonly kind: "none" }
  | { readonly kind: "computing"; readonly progress: number }
  | { readonly kind: "ready"; readonly map: EmbeddingMap }
  | { readonly kind: "failed"; readonly error: Error };

/** Undefined if it was aborted. */
export type ProjectPoints = typeof projectInThread;

type Flight = { readonly digest: string; readonly abort: AbortController; progress: number; error?: Error };

/** Maps of the epochs in force: each computed once, when it is first asked for, beside the event loop and one at a time. */
export class EmbeddingMaps {
  readonly #kept = new LRUCache<string, EmbeddingMap>({ max: MAPS_KEPT });
  readonly #project: ProjectPoints;
  #flight: Flight | undefined;
  #landing: Promise<void> = Promise.resolve();

  constructor(project: ProjectPoints = projectInThread) {
    this.#project = project;
  }

  /** The map of the epoch in force if it is there; else it is begun, if it was not. */
  ask({ epoch, graph }: Pick<EngineView, "epoch" | "graph">): MapAnswer {
    if (epoch === undefined) return { kind: "none" };
    const { digest } = epoch.manifest;
    const map = this.#kept.get(digest);
    if (map !== undefined) return { kind: "ready", map };
    const flight = this.#flight;
    if (flight?.digest === digest && flight.error !== undefined) {
      // Told once: whoever asks again wants it tried again.
      this.#flight = undefined;
      return { kind: "failed", error: flight.error };
    }
    if (flight?.digest === digest) return { kind: "computing", progress: flight.progress };
    // Of an epoch that was replaced meanwhile nobody asks for the map.
    flight?.abort.abort();
    const next = { digest, abort: new AbortController(), progress: 0 };
    this.#flight = next;
    this.#landing = this.#compute(graph, epoch, next, this.#landing);
    return { kind: "computing", progress: 0 };
  }

  async close(): Promise<void> {
    this.#flight?.abort.abort();
    await this.#landing;
  }

  async #compute(
    graph: EngineView["graph"],
    epoch: Epoch,
    flight: Flight,
    before: Promise<void>,
  ): Promise<void> {
    try {
      await before;
      const map = await mapOf(graph, epoch, flight, this.#project);
      if (map === undefined) return;
      this.#kept.set(map.digest, map);
      if (this.#flight === flight) this.#flight = undefined;
    } catch (error) {
      flight.error = error as Error;
    }
  }
}

/** Undefined if it was aborted. */
async function mapOf(
  graph: EngineView["graph"],
  epoch: Epoch,
  flight: Flight,
  project: ProjectPoints,
): Promise<EmbeddingMap | undefined> {
  const { manifest, output } = epoch;
  const { dimensions } = manifest.shape;
  const sample = await entitySample(graph, epoch, MAP_ENTITIES_MAX);
  if (flight.abort.signal.aborted) return undefined;
  const values = new Float32Array(sample.length * dimensions);
  for (const [i, { row }] of sample.entries())
    values.set(output.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
  const projection = await project(
    { points: { values, count: sample.length, dimensions }, seed: SEED },
    (share) => {
      flight.progress = share;
    },
    flight.abort.signal,
  );
  if (projection === undefined) return undefined;
  const { places, clusterOf, clusters } = projection;
  const points = sample.map(({ kind, name }, i) => ({
    ...{ kind, name, cluster: clusterOf[i]! },
    ...{ x: rounded(places[2 * i]!), y: rounded(places[2 * i + 1]!) },
  }));
  const { number, digest, entityCount } = manifest;
  return { number, digest, entities: entityCount, clusters, points };
}

/** As fine as a screen. */
function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
