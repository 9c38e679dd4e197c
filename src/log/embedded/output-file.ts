import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { OddlinkError } from "../../errors.ts";

/**
 * A file of JSON lines that a commit writes to, exactly once without being part of the database: lines are appended
 * before the commit, the commit notes the file's length, and whoever continues cuts the file back to the noted length.
 */
export class OutputFile {
  readonly path: string;
  readonly #descriptor: number;
  #length: number;

  /** @param length what the last commit noted; 0 starts the file anew */
  constructor(path: string, length: number) {
    this.path = path;
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#descriptor = openSync(path, length === 0 ? "w" : "r+");
    } catch (error) {
      throw new OddlinkError("OUTPUT_UNWRITABLE", `can't write ${path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    if (fstatSync(this.#descriptor).size < length) {
      closeSync(this.#descriptor);
      throw new OddlinkError(
        "OUTPUT_UNWRITABLE",
        `${path} is shorter than when it was last written; give another file name`,
      );
    }
    ftruncateSync(this.#descriptor, length);
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  append(lines: readonly string[]): void {
    if (lines.length === 0) return;
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    let written = 0;
    try {
      while (written < bytes.length) {
        written += writeSync(
          this.#descriptor,
          bytes,
          written,
          bytes.length - written,
          this.#length + written,
        );
      }
    } catch (error) {
      throw new OddlinkError("OUTPUT_UNWRITABLE", `can't write ${this.path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    this.#length += bytes.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
