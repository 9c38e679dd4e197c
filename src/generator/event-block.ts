import type { Random } from "../model/random.ts";

/** Seconds of the stream that are drawn, sorted and written at a time. */
export const BLOCK_SECONDS = 60;

const FIRST_CAPACITY = 4096;

/**
 * The rows of a minute as columns of numbers, 21 bytes a row, in the order in which they were thought of. At LANL's rate some
 * 13,000 rows, so that all of it stays in the processor's cache.
 */
export class EventBlock {
  count = 0;
  /** Second within the minute. */
  second = new Uint8Array(FIRST_CAPACITY);
  account = new Int32Array(FIRST_CAPACITY);
  targetAccount = new Int32Array(FIRST_CAPACITY);
  source = new Int32Array(FIRST_CAPACITY);
  target = new Int32Array(FIRST_CAPACITY);
  kind = new Uint8Array(FIRST_CAPACITY);
  #order = new Int32Array(FIRST_CAPACITY);
  readonly #ends = new Int32Array(BLOCK_SECONDS + 1);

  append(
    second: number,
    account: number,
    targetAccount: number,
    source: number,
    target: number,
    kind: number,
  ): void {
    if (this.count === this.second.length) this.#grow();
    const i = this.count++;
    this.second[i] = second;
    this.account[i] = account;
    this.targetAccount[i] = targetAccount;
    this.source[i] = source;
    this.target[i] = target;
    this.kind[i] = kind;
  }

  /** Positions of the rows in the order of time; rows of one second keep the order in which they were added. */
  ordered(): Int32Array {
    const { second, count } = this;
    const ends = this.#ends.fill(0);
    for (let i = 0; i < count; i++) ends[second[i] + 1]++;
    for (let s = 1; s <= BLOCK_SECONDS; s++) ends[s] += ends[s - 1];
    for (let i = 0; i < count; i++) this.#order[ends[second[i]]++] = i;
    return this.#order;
  }

  clear(): void {
    this.count = 0;
  }

  #grow(): void {
    const capacity = 2 * this.second.length;
    const widened = <T extends Uint8Array | Int32Array>(wide: T, narrow: T): T => {
      wide.set(narrow);
      return wide;
    };
    this.second = widened(new Uint8Array(capacity), this.second);
    this.account = widened(new Int32Array(capacity), this.account);
    this.targetAccount = widened(new Int32Array(capacity), this.targetAccount);
    this.source = widened(new Int32Array(capacity), this.source);
    this.target = widened(new Int32Array(capacity), this.target);
    this.kind = widened(new Uint8Array(capacity), this.kind);
    this.#order = new Int32Array(capacity);
  }
}

/** Where rows of the background go: into this minute or the next. What would come later comes at the end of the next. */
export class EventWriter {
  rows = 0;
  #current = new EventBlock();
  #next = new EventBlock();
  #start = 0;
  readonly #end: number;

  /** @param end first second after the stream */
  constructor(end: number) {
    this.#end = end;
  }

  append(
    second: number,
    account: number,
    targetAccount: number,
    source: number,
    target: number,
    kind: number,
  ): void {
    let at = (second < this.#end ? second : this.#end - 1) - this.#start;
    this.rows++;
    if (at < BLOCK_SECONDS) {
      this.#current.append(at, account, targetAccount, source, target, kind);
      return;
    }
    at -= BLOCK_SECONDS;
    this.#next.append(
      at < BLOCK_SECONDS ? at : BLOCK_SECONDS - 1,
      account,
      targetAccount,
      source,
      target,
      kind,
    );
  }

  /** A session ends mostly within the second, now and then up to a minute later. */
  afterwards(second: number, random: Random): number {
    const draw = random.nextFloat();
    if (draw < 0.6) return second;
    return second + (draw < 0.85 ? 1 + (((draw * 1000) % 5) | 0) : ((draw * 100_000) % BLOCK_SECONDS) | 0);
  }

  get current(): EventBlock {
    return this.#current;
  }

  /** Goes on to the next minute; the block that was current is emptied. */
  advance(): void {
    this.#current.clear();
    [this.#current, this.#next] = [this.#next, this.#current];
    this.#start += BLOCK_SECONDS;
  }
}
