/** Where in its work a worker kills itself. */
export const FAULT_POINTS = [
  "before-produce",
  "after-produce",
  "after-offsets",
  "before-commit",
  "after-commit",
  "mid-restore",
  "mid-merge",
  "after-sum",
  "mid-adoption",
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

/** Mistakes that a worker is made to have, to see that the verifier finds them. */
export const SEEDED_BUGS = [
  "commit-before-produce",
  "dead-letter-dropped",
  "segment-skipped",
  "scored-twice",
  "restored-to-the-last-stable-offset",
  "sum-counted-twice",
  "alert-dropped",
  "alert-with-another-score",
] as const;
export type SeededBug = (typeof SEEDED_BUGS)[number];

/** `pass`: it dies when it comes there for the so-manieth time, from 1. */
export type Death = { readonly point: FaultPoint; readonly pass: number };

/** What a faulty worker is told, as JSON in `FAULTY_WORKER` at its start; a death as a message later too. */
export type WorkerFaults = {
  readonly death?: Death;
  readonly bug?: SeededBug;
  /** User whose logins throw in scoring. */
  readonly poisonUser?: string;
};

export const FAULTS_VARIABLE = "FAULTY_WORKER";
