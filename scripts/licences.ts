/**
 * Checks the licences of all that is installed with the package: `node scripts/licences.ts [FOLDER]`. `npm test` runs it.
 *
 * Packages are those that the lock file names and that are not for development only. Where one is installed, its own package.json counts, and must say
 * what the lock file says; binaries for other systems are not, and the lock file alone tells.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What may be part of a program under Apache-2.0 without any further condition on it; by SPDX id. */
export const ALLOWED: readonly string[] = [
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "Python-2.0",
  "Unlicense",
  "Zlib",
];

type LockedPackage = {
  readonly version?: string;
  readonly license?: unknown;
  readonly dev?: boolean;
  readonly link?: boolean;
};

export type LicenceReport = {
  /** Packages that were looked at, and how many of them are installed here. */
  readonly packages: number;
  readonly installed: number;
  /** Names, by licence. */
  readonly byLicence: ReadonlyMap<string, readonly string[]>;
  /** In words, with the package's name first. */
  readonly problems: readonly string[];
};

/** @param folder that of a package.json with its lock file */
export function checkLicences(folder: string): LicenceReport {
  const lock = readJson(join(folder, "package-lock.json")) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const byLicence = new Map<string, string[]>();
  const problems: string[] = [];
  let installed = 0;
  const production = Object.entries(lock.packages).filter(([place, { dev }]) => place !== "" && dev !== true);
  for (const [place, locked] of production) {
    const name = `${place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length)} ${locked.version}`;
    const manifest = join(folder, place, "package.json");
    const isInstalled = existsSync(manifest);
    if (isInstalled) installed++;
    const said = isInstalled ? (readJson(manifest) as LockedPackage).license : locked.license;
    const licence = typeof said === "string" ? said : JSON.stringify(said);
    byLicence.set(licence, [...(byLicence.get(licence) ?? []), name]);
    if (said === undefined) problems.push(`${name}: its package.json names no licence`);
    else if (!isAllowed(licence)) problems.push(`${name}: ${licence} is not among those allowed`);
    if (said !== locked.license)
      problems.push(`${name}: ${licence} where it is installed, ${locked.license} in the lock file`);
  }
  return { packages: production.length, installed, byLicence, problems };
}

/** Of licences to choose from (`A OR B`) one has to be allowed; any other expression is for a person to read. */
export function isAllowed(licence: string): boolean {
  const choices = licence.replace(/^\((.*)\)$/, "$1");
  return !/[()]/.test(choices) && choices.split(" OR ").some((id) => ALLOWED.includes(id));
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

if (process.argv[1] === import.meta.filename) {
  const { packages, installed, byLicence, problems } = checkLicences(
    process.argv[2] ?? join(import.meta.dirname, ".."),
  );
  const counts = Array.from(byLicence, ([licence, names]) => `${licence} ${names.length}`);
  process.stdout.write(`${packages} packages (${installed} installed here): ${counts.join(", ")}\n`);
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  if (problems.length > 0) {
    process.stdout.write(
      `allowed: ${ALLOWED.join(", ")}; another one needs a person's decision and a line in scripts/licences.ts\n`,
    );
    process.exitCode = 1;
  }
}
