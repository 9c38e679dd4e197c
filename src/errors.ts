/**
 * Every error code oddlink can end with, whether trying again may help, and the exit code it maps to.
 *
 * A *data* problem is never an error: it is a value (`Decoded`) and ends in the dead letters. These codes are for what
 * stops a command. A bug is an assertion (`node:assert`), not a code.
 */
export const ERROR_CODES = {
  CONFIG_INVALID: { retriable: false, exitCode: 2 },
  USAGE: { retriable: false, exitCode: 2 },
  SOURCE_NOT_FOUND: { retriable: false, exitCode: 2 },
  SOURCE_UNREADABLE: { retriable: false, exitCode: 1 },
  SOURCE_TRUNCATED: { retriable: false, exitCode: 1 },
  SOURCE_CHANGED: { retriable: false, exitCode: 2 },
  TOO_MANY_REJECTED: { retriable: false, exitCode: 1 },
  SCHEMA_REGISTRY_UNREACHABLE: { retriable: true, exitCode: 1 },
  LABELS_INVALID: { retriable: false, exitCode: 2 },
  STORE_UNREADABLE: { retriable: false, exitCode: 1 },
  STORE_MISMATCH: { retriable: false, exitCode: 2 },
  STORE_BUSY: { retriable: true, exitCode: 1 },
  STATE_INCOMPLETE: { retriable: false, exitCode: 1 },
  SEGMENT_CORRUPT: { retriable: false, exitCode: 1 },
  EPOCH_CORRUPT: { retriable: false, exitCode: 1 },
  EPOCH_SUPERSEDED: { retriable: false, exitCode: 1 },
  TRAINING_FAILED: { retriable: true, exitCode: 1 },
  TRAINER_REPLACED: { retriable: false, exitCode: 1 },
  KAFKA_FAILED: { retriable: true, exitCode: 1 },
  KAFKA_TOPIC_UNFIT: { retriable: false, exitCode: 2 },
  CHECKS_FAILED: { retriable: false, exitCode: 1 },
  INPUT_LOST: { retriable: false, exitCode: 1 },
  KAFKA_UNREACHABLE: { retriable: true, exitCode: 1 },
  KAFKA_DENIED: { retriable: false, exitCode: 2 },
  KAFKA_TOPIC_MISSING: { retriable: false, exitCode: 2 },
  HTTP_UNAVAILABLE: { retriable: false, exitCode: 2 },
  CONSOLE_UNREACHABLE: { retriable: true, exitCode: 1 },
  VERDICT_REFUSED: { retriable: false, exitCode: 2 },
  OUTPUT_UNWRITABLE: { retriable: false, exitCode: 1 },
  STOPPED: { retriable: true, exitCode: 1 },
} as const satisfies Record<string, { retriable: boolean; exitCode: 1 | 2 }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error with a code of the closed list above; its message says what went wrong and what to do about it. */
export class OddlinkError extends Error {
  readonly code: ErrorCode;
  readonly retriable: boolean;
  readonly exitCode: 1 | 2;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "OddlinkError";
    this.code = code;
    this.retriable = ERROR_CODES[code].retriable;
    this.exitCode = ERROR_CODES[code].exitCode;
  }
}
