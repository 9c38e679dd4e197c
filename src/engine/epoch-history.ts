import type { EpochManifest } from "../model/epoch.ts";
import type { GateVerdict } from "../model/gate/gate-verdict.ts";
import type { RejectedEpoch } from "./epoch-records.ts";

/** Epochs that are remembered: the newest. Some 10 kB each at most, most of it losses. */
export const EPOCHS_REMEMBERED_MAX = 50;
/** Losses that are kept of an epoch: of more steps every so many-th, and the last. */
export const LOSSES_REMEMBERED_MAX = 400;

export const EPOCH_STATES = ["inForce", "shadow", "replaced", "rejected", "rolledBack"] as const;
export type EpochState = (typeof EPOCH_STATES)[number];

/** What is remembered of a manifest: neither names nor numbers of the model itself. */
export type EpochSummary = Pick<
  EpochManifest,
  | "trainedAtMs"
  | "backend"
  | "startedFrom"
  | "options"
  | "shape"
  | "entityCount"
  | "linkCount"
  | "heldOut"
  | "rolledBack"
  | "promotedAtMs"
> & {
  /** Training steps it took. */
  readonly steps: number;
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
};

/** An epoch that this process has seen come, or read from the log when it began. */
export type KnownEpoch = {
  readonly number: number;
  readonly digest: string;
  readonly state: EpochState;
  /** Event time at which it came into force here; null if it did not, or before this process began. */
  readonly adoptedAtMs: number | null;
  readonly gate: GateVerdict | null;
  /** Null for a rejected epoch that was trained elsewhere, or before: the log keeps its verdict alone. */
  readonly summary: EpochSummary | null;
};

/**
 * The epochs that came one after the other, bounded, and what became of each. It is fed by what reads the log, so that after a restart it
 * says the same of those that the log still has.
 */
export class EpochHistory {
  /** The oldest first. */
  #epochs: KnownEpoch[] = [];
  /** Of the last epoch trained here that the gate rejected: nobody stores more than the verdict. */
  #rejectedHere: EpochManifest | undefined;

  /** The newest first. */
  list(): readonly KnownEpoch[] {
    return this.#epochs.toReversed();
  }

  /** It is in force from now on. @param atMs event time; null while the log is being read */
  adopted(manifest: EpochManifest, atMs: number | null): void {
    const { rolledBack, promotedAtMs } = manifest;
    const isTakenBack = ({ number }: KnownEpoch): boolean => number === rolledBack?.from;
    this.#change("inForce", (epoch) => (isTakenBack(epoch) ? "rolledBack" : "replaced"));
    // Whatever came into force, nothing is in its shadow.
    this.#change("shadow", () => "replaced");
    // Where no login came yet there is no event time.
    const adoptedAtMs = promotedAtMs ?? (Number.isFinite(atMs) ? atMs : null);
    this.#add(manifest, "inForce", adoptedAtMs, summaryOf(manifest));
  }

  /** It is in the shadow of the one in force. */
  challenged(manifest: EpochManifest): void {
    this.#change("shadow", () => "replaced");
    this.#add(manifest, "shadow", null, summaryOf(manifest));
  }

  /** It was trained here, and will be told of as rejected. */
  rejectedHere(manifest: EpochManifest): void {
    this.#rejectedHere = manifest;
  }

  rejected(rejected: RejectedEpoch): void {
    const own = this.#rejectedHere?.digest === rejected.digest ? this.#rejectedHere : undefined;
    this.#add(rejected, "rejected", null, own === undefined ? null : summaryOf(own));
  }

  #add(
    { number, digest, gate }: Pick<KnownEpoch, "number" | "digest" | "gate">,
    state: EpochState,
    adoptedAtMs: number | null,
    summary: EpochSummary | null,
  ): void {
    this.#epochs.push({ number, digest, state, adoptedAtMs, gate, summary });
    if (this.#epochs.length <= EPOCHS_REMEMBERED_MAX) return;
    // However many were rejected since: what is in force is not forgotten.
    const oldest = this.#epochs.findIndex((epoch) => epoch.state !== "inForce");
    this.#epochs.splice(oldest, 1);
  }

  #change(from: EpochState, to: (epoch: KnownEpoch) => EpochState): void {
    this.#epochs = this.#epochs.map((epoch) =>
      epoch.state === from ? { ...epoch, state: to(epoch) } : epoch,
    );
  }
}

function summaryOf(manifest: EpochManifest): EpochSummary {
  const { trainedAtMs, backend, startedFrom, options, shape, entityCount, linkCount } = manifest;
  const { heldOut, rolledBack, promotedAtMs, losses } = manifest;
  return {
    ...{ trainedAtMs, backend, startedFrom, options, shape, entityCount, linkCount },
    ...{ heldOut, rolledBack, promotedAtMs },
    steps: losses.length,
    losses: thinned(losses),
  };
}

/** @param losses of the steps, from the first on */
function thinned(losses: readonly number[]): EpochSummary["losses"] {
  const every = Math.ceil(losses.length / LOSSES_REMEMBERED_MAX);
  return losses.flatMap((loss, i) =>
    i % every === 0 || i === losses.length - 1 ? [{ step: i + 1, loss }] : [],
  );
}
