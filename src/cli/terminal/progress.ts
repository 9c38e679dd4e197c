import { countText, durationText } from "./numbers.ts";
import { sentenceText, shortened } from "./outside-text.ts";
import { type Screen, type ScreenStream, screenOf } from "./screen.ts";

/** At most ten times a second on a terminal, at most every ten seconds in a log. */
const LIVE_INTERVAL_MS = 100;
const PLAIN_INTERVAL_MS = 10_000;

/** Rates look back this far: long enough to be steady, short enough to show a change. */
const RATE_WINDOW_MS = 5000;
const SAMPLE_INTERVAL_MS = 100;

/** To the first column, and erase to the end of the line. */
const ERASE = "\r\u001b[K";

export type ProgressStream = ScreenStream & { write(text: string): unknown };

export type ProgressOptions = {
  /** Where a person waits: standard error. */
  readonly stream: ProgressStream;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** Default: what the stream says it is. Its width is read anew for every line, for windows change. */
  readonly screen?: Screen | undefined;
};

export type ProgressState = {
  readonly records: number;
  readonly bytesRead?: number | undefined;
  /** Undefined where the end is not known. */
  readonly bytesTotal?: number | undefined;
};

type Sample = { readonly timeMs: number; readonly records: number; readonly bytes: number };

/**
 * Says how far a long piece of work is.
 *
 *    42 %  1,234,567 records  85,300/s  1 min 20 s left  training epoch 2, step 30 of 60
 *
 * On a terminal one line is rewritten; elsewhere a plain line is added now and then, none in the first ten seconds, so a short
 * run leaves none. It starts no timer: it writes when it is told something, and never keeps the process alive.
 */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #screen: Screen | undefined;
  readonly #startedMs: number;
  #writtenMs: number;
  #isLineShown = false;
  #isDone = false;
  #state: ProgressState | undefined;
  #phase = "";
  /** Oldest first, at most one a sample interval of the window, and the one it starts from. */
  #samples: Sample[] = [];

  constructor({ stream, now, screen }: ProgressOptions) {
    this.#stream = stream;
    this.#now = now;
    this.#screen = screen;
    this.#startedMs = now();
    // A terminal is written to at once, a log only after the first interval.
    this.#writtenMs = this.#isLive ? Number.NEGATIVE_INFINITY : this.#startedMs;
  }

  update(state: ProgressState): void {
    this.#state = state;
    this.#sample(state);
    this.#write();
  }

  /** What else is going on, such as `training epoch 2, step 30 of 60`; undefined when it is over. */
  phase(text: string | undefined): void {
    this.#phase = sentenceText(text);
    this.#write();
  }

  /** A line that stays, above the one that is rewritten. */
  note(text: string): void {
    this.clear();
    this.#stream.write(`${sentenceText(text)}\n`);
  }

  /** Takes the line away, for something else to be written there; the next word from the work brings it back. */
  clear(): void {
    if (!this.#isLineShown) return;
    this.#stream.write(ERASE);
    this.#isLineShown = false;
  }

  /** Takes the line away for good. May be called twice. */
  done(): void {
    this.clear();
    this.#isDone = true;
  }

  get #isLive(): boolean {
    return (this.#screen ?? screenOf(this.#stream)).isLive;
  }

  #sample({ records, bytesRead = 0 }: ProgressState): void {
    const timeMs = this.#now();
    const samples = this.#samples;
    const newest = samples.at(-1);
    if (newest !== undefined && timeMs < newest.timeMs)
      this.#samples = [{ timeMs, records, bytes: bytesRead }];
    else if (newest === undefined || timeMs - newest.timeMs >= SAMPLE_INTERVAL_MS) {
      samples.push({ timeMs, records, bytes: bytesRead });
      while (samples.length > 2 && samples[1].timeMs <= timeMs - RATE_WINDOW_MS) samples.shift();
    }
  }

  #write(): void {
    if (this.#isDone) return;
    if (this.#state === undefined && this.#phase === "") {
      this.clear();
      return;
    }
    const screen = this.#screen ?? screenOf(this.#stream);
    const nowMs = this.#now();
    const interval = screen.isLive ? LIVE_INTERVAL_MS : PLAIN_INTERVAL_MS;
    // The absolute value: a clock set back must not silence the line until it has caught up.
    if (Math.abs(nowMs - this.#writtenMs) < interval) return;
    this.#writtenMs = nowMs;
    const line = this.#line();
    if (!screen.isLive) {
      this.#stream.write(`${line}\n`);
      return;
    }
    // One column free: a terminal wraps when the last one is filled.
    this.#stream.write(`${ERASE}${shortened(line, screen.columns - 1)}`);
    this.#isLineShown = true;
  }

  #line(): string {
    const parts: string[] = [];
    if (this.#state !== undefined) {
      const { records, bytesRead = 0, bytesTotal = 0 } = this.#state;
      const rate = this.#perSecond();
      if (bytesTotal > 0) {
        parts.push(`${String(Math.min(100, Math.floor((100 * bytesRead) / bytesTotal))).padStart(3)} %`);
      }
      parts.push(`${countText(records)} records`);
      if (rate !== undefined) parts.push(`${countText(rate.records)}/s`);
      if (rate !== undefined && rate.bytes > 0 && bytesTotal > bytesRead) {
        parts.push(`${durationText((bytesTotal - bytesRead) / rate.bytes)} left`);
      }
    }
    if (this.#phase !== "") parts.push(this.#phase);
    return parts.join("  ");
  }

  /** Over the window up to now, so that a standstill shows as one. Undefined until there is a difference to measure. */
  #perSecond(): { records: number; bytes: number } | undefined {
    const oldest = this.#samples[0];
    if (oldest === undefined || this.#state === undefined) return undefined;
    const seconds = (this.#now() - oldest.timeMs) / 1000;
    if (seconds < SAMPLE_INTERVAL_MS / 1000) return undefined;
    const records = Math.max(0, this.#state.records - oldest.records) / seconds;
    const bytes = Math.max(0, (this.#state.bytesRead ?? 0) - oldest.bytes) / seconds;
    return { records, bytes };
  }
}
