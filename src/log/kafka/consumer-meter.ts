import type { TransactionOutcome } from "./client.ts";

/** What a consumer counts as it happens; times in seconds. */
export type ConsumerMeter = {
  /** A transaction has ended, or nobody knows how. */
  transaction(outcome: "committed" | TransactionOutcome, seconds: number): void;
  /** The group has given its partitions out anew, from when this member heard of it until it knew its own. */
  rebalance(seconds: number): void;
  /** Reading of a partition was paused, because what was fetched of it waits. */
  paused(seconds: number): void;
};

/** How far a partition of this process is. */
export type PartitionStanding = {
  readonly partition: number;
  /** True once it is read: nobody else writes for it, and all that it needs is there. */
  readonly isReady: boolean;
  /** True while reading waits because too much of it waits. */
  readonly isPaused: boolean;
  /** Everything below it that was handed out is committed; undefined before it is ready. */
  readonly committed: number | undefined;
  /** Where all below is committed, or is nothing that anybody could read; undefined before it is ready. */
  readonly done: number | undefined;
  /** When the log got the oldest record that is fetched and not committed, milliseconds since the epoch; undefined if none is. */
  readonly oldestMs: number | undefined;
  /** As the broker said with what was fetched last. */
  readonly highWatermark: number | undefined;
};

/** How a member of a group stands. */
export type ConsumerStanding = {
  /** True from the first assignment on, while it is a member. */
  readonly isMember: boolean;
  readonly isRebalancing: boolean;
  readonly partitions: readonly PartitionStanding[];
};
