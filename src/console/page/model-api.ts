import { ApiError, ask, type EntityKind } from "./api.ts";

/** What the page asks of the model. The types are those of `routes/model-schemas.ts`. */

export type Pair = { readonly running: number; readonly candidate: number };

export type Gate = {
  readonly isAccepted: boolean;
  readonly reason: string;
  readonly running: number | null;
  readonly links: number;
  readonly aucByFake: Readonly<Record<string, Pair>>;
  readonly difference: number | null;
  readonly standardError: number | null;
  readonly drift: readonly (Pair & { readonly probability: number; readonly links: number })[];
};

export type Training = {
  readonly trainedAtMs: number;
  readonly startedFrom: string | null;
  readonly backend: string;
  readonly decoder: string;
  readonly dimensions: number;
  readonly weights: string;
  readonly bases: number;
  readonly parameters: number;
  readonly entities: number;
  readonly links: number;
  readonly relations: number;
  readonly seed: number;
  readonly learningRate: number;
  readonly l2: number;
  readonly dropout: number;
  readonly halfLifeDays: number;
  readonly steps: number;
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
  readonly heldOut: {
    readonly links: number;
    readonly lossBefore: number | null;
    readonly lossAfter: number | null;
    readonly auc: number | null;
    readonly aucByFake: Readonly<Record<string, number>>;
  };
};

export type EpochState = "inForce" | "shadow" | "replaced" | "rejected" | "rolledBack";

export type Epoch = {
  readonly number: number;
  readonly digest: string;
  readonly state: EpochState;
  readonly adoptedAtMs: number | null;
  readonly rolledBack: { readonly from: number; readonly to: number; readonly reason: string } | null;
  readonly training: Training | null;
  readonly gate: Gate | null;
};

export type Model = { readonly inForce: number | null; readonly epochs: readonly Epoch[] };

export type MapPoint = {
  readonly kind: EntityKind;
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly cluster: number;
  readonly alerts: number;
  readonly logins: number;
};

export type EmbeddingMap = {
  readonly epoch: { readonly number: number; readonly digest: string };
  readonly entities: number;
  readonly clusters: number;
  readonly points: readonly MapPoint[];
};

export async function model(): Promise<Model> {
  return (await ask("model")).json();
}

const AGAIN_MS = 500;

/**
 * The map of the epoch in force; undefined if there is none, or nobody waits for it any more.
 *
 * @param onProgress with the share of the work that is done
 */
export async function embeddingMap(
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<EmbeddingMap | undefined> {
  try {
    while (!signal.aborted) {
      const response = await ask("model/map");
      if (response.status !== 202) return await response.json();
      onProgress(((await response.json()) as { readonly progress: number }).progress);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
