const CAPACITY_MIN = 1024;
/** A count stops here: more than twice is as wrong as twice. */
const COUNT_MAX = 255;

/**
 * What was put out for each offset of one input partition.
 *
 *   scored, alerts, deadLetters, bugs   a byte an offset each      dead letter's CRC-32   4 B
 *   scores below the threshold, and those that alerts hold   a map entry each, for a hundredth of the logins or so
 *
 * Ten million logins take 80 MB, where the records themselves would take ten gigabytes.
 */
export class OutputCounts {
  scored = new Uint8Array(CAPACITY_MIN);
  alerts = new Uint8Array(CAPACITY_MIN);
  deadLetters = new Uint8Array(CAPACITY_MIN);
  /** Of dead letters: 1 if it says that it is one for a bug. */
  bugs = new Uint8Array(CAPACITY_MIN);
  checksums = new Uint32Array(CAPACITY_MIN);
  readonly lowScores = new Map<number, number>();
  readonly alertScores = new Map<number, number>();

  addScored(offset: number): void {
    this.#makeRoomFor(offset);
    increment(this.scored, offset);
  }

  addAlert(offset: number, score: number): void {
    this.#makeRoomFor(offset);
    increment(this.alerts, offset);
    this.alertScores.set(offset, score);
  }

  addDeadLetter(offset: number, checksum: number, isBug: boolean): void {
    this.#makeRoomFor(offset);
    increment(this.deadLetters, offset);
    this.checksums[offset] = checksum;
    this.bugs[offset] = isBug ? 1 : 0;
  }

  #makeRoomFor(offset: number): void {
    if (offset < this.scored.length) return;
    const capacity = Math.max(2 * this.scored.length, offset + 1);
    const grown = <Column extends Uint8Array | Uint32Array>(column: Column, larger: Column): Column => {
      larger.set(column);
      return larger;
    };
    this.scored = grown(this.scored, new Uint8Array(capacity));
    this.alerts = grown(this.alerts, new Uint8Array(capacity));
    this.deadLetters = grown(this.deadLetters, new Uint8Array(capacity));
    this.bugs = grown(this.bugs, new Uint8Array(capacity));
    this.checksums = grown(this.checksums, new Uint32Array(capacity));
  }
}

function increment(column: Uint8Array, offset: number): void {
  column[offset] = Math.min(COUNT_MAX, (column[offset] ?? 0) + 1);
}
