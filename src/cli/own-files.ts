import { fstatSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { isatty } from "node:tty";
import { OddlinkError } from "../errors.ts";
import { findSources, type Source, STDIN } from "../ingest/sources.ts";

/** Symbolic links followed to a file that is not there yet, at most. */
const LINKS_MAX = 40;

/** A file and what a command uses it for, such as `--alerts` or `the source`; without a path it is not used. */
export type FileUse = { readonly as: string; readonly path: string | undefined };

/** Files that a command writes, and files that it reads besides its sources. */
export type FileUses = { readonly written: readonly FileUse[]; readonly read: readonly FileUse[] };

type File = {
  /** As a message calls it. */
  readonly name: string;
  /** Equal for all names of one file, whichever links lead there. */
  readonly identity: string;
  /** A device such as /dev/null keeps nothing, so nothing is lost there; a terminal is none, for somebody reads it. */
  readonly isDevice: boolean;
};

type Stream = File & { readonly isFile: boolean };

/**
 * The sources of a command that writes files itself: what it writes is left out of the directories it reads. Nothing is
 * opened, and no file need be there yet.
 *
 * @throws {OddlinkError} USAGE naming the two, if a file that is written has another use as well
 */
export async function findSourcesBeside(
  args: readonly string[],
  uses: FileUses,
  onSkipped: (path: string) => void = () => {},
): Promise<Source[]> {
  const { written, redirected } = refuseSharedFiles(args, uses);

  const own = new Set([...written, ...redirected].map(({ identity }) => identity));
  const isOwn = (path: string) => own.has(identityOf(path));
  const sources = await findSources(args, (path) => {
    if (!isOwn(path)) onSkipped(path);
  });
  const others = sources.filter(({ path }) => args.includes(path) || !isOwn(path));
  if (others.length > 0) return others;
  throw new OddlinkError(
    "SOURCE_NOT_FOUND",
    `${args.join(", ")}: holds nothing but what this command writes`,
  );
}

/**
 * For a command that has no sources either.
 *
 * @throws {OddlinkError} USAGE naming the two, if a file that is written has another use as well
 */
export function refuseSharedFiles(
  args: readonly string[],
  uses: FileUses,
): { readonly written: readonly File[]; readonly redirected: readonly File[] } {
  const streams = [streamOf("standard output", 1), streamOf("standard error", 2)];
  const written = uses.written.flatMap(fileOf);
  const named = args.filter((arg) => arg !== STDIN);
  const read = [...uses.read, ...named.map((path) => ({ as: "the source", path }))].flatMap(fileOf);
  if (args.includes(STDIN)) read.push(streamOf("standard input", 0));
  for (const [i, file] of written.entries()) {
    const stream = streams.find((other) => isShared(file, other));
    if (stream !== undefined) {
      throw new OddlinkError(
        "USAGE",
        `${file.name} is ${stream.name}, where other text goes; give a file or, in bash, a command: >(COMMAND)`,
      );
    }
    refuseShared(file, [...written.slice(i + 1), ...read]);
  }
  const redirected = streams.filter(({ isFile }) => isFile);
  for (const stream of redirected) refuseShared(stream, read);
  return { written, redirected };
}

function refuseShared(file: File, others: readonly File[]): void {
  const other = others.find((candidate) => isShared(file, candidate));
  if (other === undefined) return;
  throw new OddlinkError(
    "USAGE",
    `${file.name} and ${other.name} are the same file; give another one. Nothing was read or written.`,
  );
}

function isShared(a: File, b: File): boolean {
  return a.identity === b.identity && !(a.isDevice && b.isDevice);
}

function fileOf({ as, path }: FileUse): File[] {
  if (path === undefined) return [];
  const isDevice = statOf(path)?.isCharacterDevice() ?? false;
  return [{ name: `${as} ${path}`, identity: identityOf(path), isDevice }];
}

function streamOf(name: string, descriptor: number): Stream {
  const stat = fstatSync(descriptor, { bigint: true });
  const isDevice = stat.isCharacterDevice() && !isatty(descriptor);
  return { name, identity: `${stat.dev}:${stat.ino}`, isDevice, isFile: stat.isFile() };
}

function identityOf(path: string): string {
  const stat = statOf(path);
  return stat === undefined ? placeOf(path) : `${stat.dev}:${stat.ino}`;
}

function statOf(path: string) {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/** Where a file is, or would be made: its path without any link. */
export function placeOf(path: string, linksMax = LINKS_MAX): string {
  try {
    // Node's own would take `link/..` away before it follows the link.
    return realpathSync.native(path);
  } catch {
    const folder = dirname(path);
    if (folder === path) return path;
    const target = linksMax > 0 ? targetOf(path) : undefined;
    if (target === undefined) return join(placeOf(folder, linksMax), basename(path));
    return placeOf(isAbsolute(target) ? target : `${folder}/${target}`, linksMax - 1);
  }
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
