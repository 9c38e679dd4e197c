import { Buffer } from "node:buffer";
import { COLUMNS, type Column, EVIDENCE, type Login, NAME_BYTES_MAX, OUTCOMES } from "./login.ts";

/** Index of each column in the arrays of `LoginBytes`. */
export const USER = 0;
export const TARGET_USER = 1;
export const SOURCE_HOST = 2;
export const TARGET_HOST = 3;
export const AUTH_TYPE = 4;
export const LOGON_TYPE = 5;

/** Index of a column name, for code that works by configuration. */
export function columnIndex(column: Column): number {
  return COLUMNS.indexOf(column);
}

/** Positions in `OUTCOMES` and `EVIDENCE`, for the hot path. */
export const UNKNOWN = 0;
export const SUCCESS = 1;
export const FAILURE = 2;
export const NONE = 0;
export const WEAK = 1;
export const STRONG = 2;
export const TICKET = 3;

/**
 * A login whose names are still byte ranges: what decoders produce and the graph consumes, so that a name that is known
 * already never becomes a string. One instance per decoder, overwritten by each record.
 *
 *   column:  0 user | 1 target user | 2 source host | 3 target host | 4 auth type | 5 logon type
 *   buffers[column][starts[column] .. ends[column])     empty range = absent
 */
export class LoginBytes {
  timeMs = 0;
  /** Position in `OUTCOMES`. */
  outcome = UNKNOWN;
  /** Position in `EVIDENCE`. */
  evidence = NONE;
  /** The record's own event id, if the source has one. */
  uid: string | undefined = undefined;
  readonly buffers: Buffer[] = COLUMNS.map(() => Buffer.alloc(0));
  readonly starts: Int32Array = new Int32Array(COLUMNS.length);
  readonly ends: Int32Array = new Int32Array(COLUMNS.length);

  set(column: number, buffer: Buffer, start: number, end: number): void {
    this.buffers[column] = buffer;
    this.starts[column] = start;
    this.ends[column] = end;
  }

  copy(column: number, from: number): void {
    this.set(column, this.buffers[from]!, this.starts[from]!, this.ends[from]!);
  }

  /** The same bytes as another login has there: valid for as long as that login's are. */
  copyFrom(other: LoginBytes, column: number): void {
    this.set(column, other.buffers[column]!, other.starts[column]!, other.ends[column]!);
  }

  clear(column: number): void {
    this.ends[column] = this.starts[column] = 0;
  }

  isAbsent(column: number): boolean {
    return this.starts[column] === this.ends[column];
  }

  text(column: number): string {
    return this.buffers[column]!.toString("utf8", this.starts[column], this.ends[column]);
  }

  /** True when both columns are present and hold the same bytes. */
  isSame(a: number, b: number): boolean {
    const length = this.ends[a]! - this.starts[a]!;
    if (length === 0 || length !== this.ends[b]! - this.starts[b]!) return false;
    const left = this.buffers[a]!;
    const right = this.buffers[b]!;
    for (let i = this.starts[a]!, j = this.starts[b]!; i < this.ends[a]!; i++, j++) {
      if (left[i] !== right[j]) return false;
    }
    return true;
  }

  /** A login is remote when source and target host are both known and differ. */
  isRemote(): boolean {
    return (
      !this.isAbsent(SOURCE_HOST) && !this.isAbsent(TARGET_HOST) && !this.isSame(SOURCE_HOST, TARGET_HOST)
    );
  }

  hasNameTooLong(): boolean {
    for (let column = 0; column < COLUMNS.length; column++) {
      if (this.ends[column]! - this.starts[column]! > NAME_BYTES_MAX) return true;
    }
    return false;
  }

  /** The same login as plain strings. */
  toLogin(): Login {
    return {
      timeMs: this.timeMs,
      user: this.text(USER),
      targetUser: this.text(TARGET_USER),
      sourceHost: this.text(SOURCE_HOST),
      targetHost: this.text(TARGET_HOST),
      authType: this.text(AUTH_TYPE),
      logonType: this.text(LOGON_TYPE),
      outcome: OUTCOMES[this.outcome]!,
      evidence: EVIDENCE[this.evidence]!,
      ...(this.uid === undefined ? {} : { uid: this.uid }),
    };
  }
}
