import type { Time } from "../time.ts";
import { type DeliverOptions, type Delivery, deliver } from "./sink.ts";

/** Pause before alerts are looked for again, milliseconds. */
const POLL_MS = 200;

/** Alerts in the order in which they were raised, and how far a sink has come; both survive a restart. */
export type Spool = {
  /** Position of the last alert that is done with. */
  position(): number;
  /** The first alert after a position. */
  next(position: number): { readonly position: number; readonly delivery: Delivery } | undefined;
  /** How many there are after a position. */
  waiting(position: number): number;
  /** The position after which there are no more than so many. */
  positionBefore(countMax: number): number;
  note(position: number): void;
};

export type DrainOptions = DeliverOptions & {
  readonly spool: Spool;
  readonly time: Time;
  /** Of more alerts that wait, the oldest are passed over, and counted. */
  readonly waitingMax: number;
  /** True once no more alerts will come. */
  readonly isEnded: () => boolean;
};

/** Delivers what is in a spool, and what comes, one after the other, until all is done with after the end, or the signal stops it. */
export async function drain(options: DrainOptions): Promise<void> {
  const { spool, sink, counts, signal, time, waitingMax, isEnded, onTrouble } = options;
  let position = spool.position();
  while (!signal.aborted) {
    // Asked first: what was committed before the end is still to be found.
    const wasEnded = isEnded();
    const waiting = spool.waiting(position);
    if (waiting > waitingMax) {
      counts.passedOver += waiting - waitingMax;
      position = spool.positionBefore(waitingMax);
      spool.note(position);
      onTrouble(
        `${sink.name}: ${waiting} alerts wait, more than outputs.waitingMax; the oldest are not sent there`,
      );
    }
    const next = spool.next(position);
    if (next === undefined) {
      if (wasEnded) return;
      await time.sleep(POLL_MS, signal);
      continue;
    }
    try {
      await deliver(next.delivery, options);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    position = next.position;
    spool.note(position);
  }
}
