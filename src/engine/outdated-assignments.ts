import { OddlinkError } from "../errors.ts";
import type { Assignment } from "../log/port.ts";
import type { Time } from "../time.ts";

/** How often an assignment may be outdated in a row, and what is waited after the first time, milliseconds. */
const OUTDATED_MAX = 10;
const OUTDATED_WAIT_MS = 100;

/** Partitions that were given with a position which is not the end of what the graph holds: they are asked for again, a few times. */
export class OutdatedAssignments {
  readonly #time: Time;
  readonly #stop: AbortSignal;
  /** How often in a row, by partition. */
  readonly #counts = new Map<number, number>();

  constructor(time: Time, stop: AbortSignal) {
    this.#time = time;
    this.#stop = stop;
  }

  /**
   * Waits, longer each time, before the partition is given back.
   *
   * @throws {OddlinkError} STATE_INCOMPLETE once it was outdated too often
   */
  async wait({ partition, topic, position }: Assignment): Promise<void> {
    const count = (this.#counts.get(partition) ?? 0) + 1;
    this.#counts.set(partition, count);
    if (count > OUTDATED_MAX) {
      throw new OddlinkError(
        "STATE_INCOMPLETE",
        `of partition ${partition} of ${topic}, the stored graph holds more than offset ${position.offset}, which is ` +
          "committed. Does it belong to another consumer group? Use other topics, or the group that wrote them",
      );
    }
    await this.#time.sleep(OUTDATED_WAIT_MS * count, this.#stop);
  }

  /** The partition was given with the right position. */
  forget(partition: number): void {
    this.#counts.delete(partition);
  }
}
