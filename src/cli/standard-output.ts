import type { Writable } from "node:stream";
import { OddlinkError } from "../errors.ts";

/** Where results go. Once it can't be written to any more, the rest is dropped and whoever works for it is told. */
export class StandardOutput {
  readonly #stream: Writable;
  readonly #gone = new AbortController();
  #failure: NodeJS.ErrnoException | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error) => this.#fail(error));
  }

  /** Fires when nothing more can be written: the reader has left, as `head` does, or the disk is full. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  write(text: string): void {
    if (!this.gone.aborted) this.#stream.write(text);
  }

  /**
   * Resolves once all is written. A reader that has left had enough: that is no failure.
   *
   * @throws {OddlinkError} OUTPUT_UNWRITABLE
   */
  async finish(): Promise<void> {
    await new Promise<void>((resolve) => this.#stream.write("", () => resolve()));
    if (this.#failure === undefined || this.#failure.code === "EPIPE") return;
    throw new OddlinkError("OUTPUT_UNWRITABLE", `can't write to standard output: ${this.#failure.message}`, {
      cause: this.#failure,
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#gone.abort();
  }
}
