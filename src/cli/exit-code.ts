import { CommanderError } from "commander";
import { OddlinkError } from "../errors.ts";

/**
 * Does the work of a command and tells how it ended, errors of the closed list in one readable block on standard error. A bug
 * is thrown on.
 */
export async function exitCodeOf(work: () => Promise<unknown>, name = "oddlink"): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    // Commander has written its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof OddlinkError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    return error.exitCode;
  }
}
