/** How long things take in the simulated cluster and its clients; all in milliseconds but the chance. */
export type Timings = {
  /** One way between a client and the broker, and between coordinators and partitions. */
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  /** Share of messages that take up to `slowLatencyMsMax` instead. */
  readonly slowLatencyChance: number;
  readonly slowLatencyMsMax: number;
  /**
   * Longest time from the decision of a transaction, which is when its producer is answered, to the marker in a partition
   * (or in the group's offsets), which is when readers learn of it. Each marker takes its own.
   */
  readonly markerMsMax: number;
  readonly heartbeatIntervalMs: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly transactionTimeoutMs: number;
  /** The broker looks for transactions that are too old once in this time. */
  readonly transactionScanMs: number;
  /** After it a client takes a request as unanswered, where the connection did not say so before. */
  readonly requestTimeoutMs: number;
  /** A request that may be repeated is, with pauses of up to `retryMsMax`, for this long. */
  readonly giveUpMs: number;
  readonly retryMsMax: number;
  /** A commit that was delayed on its way takes effect this much later at most. */
  readonly lateCommitMsMax: number;
  /** A fetch waits at the broker for this long: so late may records of a paused partition still come. */
  readonly fetchWaitMs: number;
  /** Tombstones and markers live for this long after the first compaction that met them. */
  readonly tombstoneRetentionMs: number;
};

/** The settings that the client starts from, and delays of a broker nearby. */
export const DEFAULT_TIMINGS: Timings = {
  latencyMsMin: 0.1,
  latencyMsMax: 1.5,
  slowLatencyChance: 0.02,
  slowLatencyMsMax: 50,
  markerMsMax: 5,
  heartbeatIntervalMs: 1000,
  sessionTimeoutMs: 6000,
  rebalanceTimeoutMs: 10_000,
  transactionTimeoutMs: 10_000,
  transactionScanMs: 500,
  requestTimeoutMs: 5000,
  giveUpMs: 8000,
  retryMsMax: 200,
  lateCommitMsMax: 15_000,
  fetchWaitMs: 100,
  tombstoneRetentionMs: 5000,
};
