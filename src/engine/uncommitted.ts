import type { Segment } from "../graph-state/segment.ts";
import type { AlertRecord, DeadLetter, KeyedRecord, RecordBatch, ScoredRecord } from "../log/port.ts";
import { type Counts, noCounts } from "./totals.ts";

/** Records of a batch from `start` on. */
export type Slice = { readonly batch: RecordBatch; readonly start: number };

/**
 * What came of the records of a partition since its last commit, and these records: all of it is committed together, or
 * forgotten together and done again.
 */
export class Uncommitted {
  readonly alerts: AlertRecord[] = [];
  /** What an epoch in the shadow would have raised. */
  readonly alertsShadow: AlertRecord[] = [];
  readonly scored: ScoredRecord[] = [];
  readonly deadLetters: DeadLetter[] = [];
  /** Risk of accounts and hosts, the last of each. */
  readonly entityRisks = new Map<string, KeyedRecord>();
  /** Part of the graph, but not yet of the log. */
  readonly segments: Segment[] = [];
  readonly counts: Counts = noCounts();
  /** Event ids by which duplicates are told. */
  readonly uids: string[] = [];
  /** The records themselves. */
  readonly slices: Slice[] = [];
  /** Size of the records. */
  bytes = 0;

  /**
   * When the log got each of the records, milliseconds since the epoch, where it says so.
   *
   * @param end offset of the first record that does not belong to them
   */
  *timestampsMs(end: number): Generator<number> {
    for (const { batch, start } of this.slices) {
      for (let i = start; i < batch.length && batch.offsetOf(i) < end; i++) {
        const timestampMs = batch.timestampMsOf(i);
        // All of a batch are of one log: one that does not say never does.
        if (timestampMs === undefined) return;
        yield timestampMs;
      }
    }
  }

  /** Keeps the records of a batch from `start` on. */
  hold(batch: RecordBatch, start: number): void {
    if (this.slices.at(-1)?.batch !== batch) this.slices.push({ batch, start });
  }
}
