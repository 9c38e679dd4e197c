/** Messages remembered; older ones may be said again sooner. */
const MESSAGES_MAX = 100;
const SILENCE_MS = 10_000;

/** Says what is said again and again once in ten seconds at most, with how often it was. */
export class Repeated {
  readonly #write: (message: string) => void;
  readonly #now: () => number;
  readonly #said = new Map<string, { atMs: number; count: number }>();

  constructor(write: (message: string) => void, now: () => number = Date.now) {
    this.#write = write;
    this.#now = now;
  }

  say(message: string): void {
    // Numbers differ from time to time; what is meant does not.
    const kind = message.replace(/\d+/g, "0");
    const nowMs = this.#now();
    const said = this.#said.get(kind);
    if (said !== undefined && nowMs - said.atMs < SILENCE_MS) {
      said.count++;
      return;
    }
    const times =
      said !== undefined && said.count > 0 ? ` (and ${said.count} times since it was last said)` : "";
    this.#write(message + times);
    this.#said.delete(kind);
    this.#said.set(kind, { atMs: nowMs, count: 0 });
    if (this.#said.size > MESSAGES_MAX) this.#said.delete(this.#said.keys().next().value!);
  }
}
