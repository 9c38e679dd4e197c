import { accessSync, constants, existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { OddlinkError } from "../errors.ts";

/** For who would find out after hours otherwise. @throws {OddlinkError} OUTPUT_UNWRITABLE */
export function expectWritable(file: string): void {
  attempt(file, () => accessSync(existsSync(file) ? file : dirname(file), constants.W_OK));
}

/** @throws {OddlinkError} OUTPUT_UNWRITABLE */
export function writeReport(file: string, text: string): void {
  attempt(file, () => writeFileSync(file, text));
}

function attempt(file: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new OddlinkError("OUTPUT_UNWRITABLE", `can't write ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
