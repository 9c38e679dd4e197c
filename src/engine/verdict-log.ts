import { Buffer } from "node:buffer";
import { decodeVerdict, type Verdict } from "../alerts/verdict.ts";
import { Verdicts } from "../alerts/verdicts.ts";
import type { Follower, KeyedRecord, Log } from "../log/port.ts";

export type VerdictLogOptions = {
  readonly log: Pick<Log, "follow">;
  /** A verdict was read, whoever made it; not called for those that were there at the start. */
  readonly onVerdict?: ((verdict: Verdict) => void) | undefined;
  /** A record that is none. */
  readonly onTrouble?: ((message: string) => void) | undefined;
};

/** The verdicts in force, kept up with the log. */
export class VerdictLog {
  readonly verdicts = new Verdicts();
  /** Records that are no verdicts. */
  unreadable = 0;
  readonly #options: VerdictLogOptions;
  isClosed = false;
  #follower: Follower | undefined;
  #isRestored = false;

  constructor(options: VerdictLogOptions) {
    this.#options = options;
  }

  /** Follows the log from now on; resolves once all that was there is in force. */
  async restore(): Promise<void> {
    this.#follower = this.#options.log.follow("verdicts", (record) => this.#read(record));
    await this.#follower.caughtUp();
    this.#isRestored = true;
  }

  /** What is said from now on is not heard any more. */
  async close(): Promise<void> {
    await this.#follower?.close();
    this.isClosed = true;
  }

  #read({ key, value }: KeyedRecord): void {
    if (value === null) {
      this.verdicts.remove(key);
      return;
    }
    const verdict = decodeVerdict(value);
    if (typeof verdict === "string") {
      this.unreadable++;
      this.#options.onTrouble?.(`a record of the verdicts is none, and was passed over: ${verdict}`);
      return;
    }
    this.verdicts.add(verdict);
    if (this.#isRestored) this.#options.onVerdict?.(verdict);
  }
}

export function verdictRecord(verdict: Verdict): KeyedRecord {
  return { key: verdict.uid, value: Buffer.from(JSON.stringify(verdict)) };
}
