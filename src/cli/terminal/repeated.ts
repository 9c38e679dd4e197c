import { sentenceText } from "./outside-text.ts";

/** Messages remembered; older ones may be said again sooner. */
const MESSAGES_MAX = 100;
const SILENCE_MS = 10_000;

/** Writes what goes wrong and is being dealt with, a line a message. It may quote what brokers say. */
export function troubleTo(stream: { write(text: string): unknown }): (message: string) => void {
  const trouble = new Repeated((message) => void stream.write(`${sentenceText(message)}\n`));
  return (message) => trouble.say(message);
}

/** Says what is said again and again once in ten seconds at most, or so many times, with how often it was. */
export class Repeated {
  readonly #write: (message: string) => void;
  readonly #now: () => number;
  readonly #timesMax: number;
  /** Since when, how often it was said since then, and how often it was not. */
  readonly #said = new Map<string, { atMs: number; times: number; count: number }>();

  constructor(write: (message: string) => void, now: () => number = Date.now, timesMax = 1) {
    this.#write = write;
    this.#now = now;
    this.#timesMax = timesMax;
  }

  say(message: string): void {
    // Numbers differ from time to time; what is meant does not.
    const kind = message.replace(/\d+/g, "0");
    const nowMs = this.#now();
    const said = this.#said.get(kind);
    if (said !== undefined && nowMs - said.atMs < SILENCE_MS) {
      if (said.times < this.#timesMax) {
        said.times++;
        this.#write(message);
      } else said.count++;
      return;
    }
    const times =
      said !== undefined && said.count > 0 ? ` (and ${said.count} times since it was last said)` : "";
    this.#write(message + times);
    this.#said.delete(kind);
    this.#said.set(kind, { atMs: nowMs, times: 1, count: 0 });
    if (this.#said.size > MESSAGES_MAX) this.#said.delete(this.#said.keys().next().value!);
  }
}
