import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { OddlinkError } from "../../errors.ts";

/**
 * A file of JSON lines that a commit writes to, exactly once without being part of the database: lines are appended
 * before the commit, the commit notes the file's length, and whoever continues cuts the file back to the noted length.
 *
 * A pipe or a device has no length to note: lines go there as they come, and nobody can continue it.
 */
export class OutputFile {
  readonly path: string;
  readonly isResumable: boolean;
  readonly #descriptor: number;
  #length: number;

  /**
   * @param length what the last commit noted; 0 starts the file anew, and so does a file that is gone
   * @param ifShort what helps if the file is shorter than that
   */
  constructor(path: string, length: number, ifShort: string) {
    this.path = path;
    this.#length = length;
    try {
      const before = statSync(path, { throwIfNoEntry: false });
      this.isResumable = before === undefined || before.isFile();
      if (before === undefined) {
        this.#length = 0;
        makeFolder(dirname(path));
      }
      this.#descriptor = openSync(path, this.#flags());
    } catch (error) {
      throw this.#unwritable(error as Error);
    }
    if (!this.isResumable) return;
    if (fstatSync(this.#descriptor).size < this.#length) {
      closeSync(this.#descriptor);
      throw new OddlinkError(
        "OUTPUT_UNWRITABLE",
        `${path} is shorter than when it was last written; ${ifShort}, or give another file name`,
      );
    }
    ftruncateSync(this.#descriptor, this.#length);
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
        const position = this.isResumable ? this.#length + written : null;
        written += writeSync(this.#descriptor, bytes, written, bytes.length - written, position);
      }
    } catch (error) {
      throw this.#unwritable(error as Error);
    }
    this.#length += bytes.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #flags(): string | number {
    if (!this.isResumable) return constants.O_WRONLY;
    return this.#length === 0 ? "w" : "r+";
  }

  #unwritable(cause: Error): OddlinkError {
    return new OddlinkError("OUTPUT_UNWRITABLE", `can't write ${this.path}: ${cause.message}`, { cause });
  }
}

/** Makes a folder and those above it. Node's own recursive `mkdir` never returns from folders such as `/proc/x` that exist for nobody to make. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}
