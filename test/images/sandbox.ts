import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** `docker` does not run here, so this stands in: /usr of this machine is that of the base image, and the rest is the image's own. */
export type Sandbox = {
  /** The root of the image, but for `usr`. */
  readonly root: string;
  /** What differs from this machine in /usr. */
  readonly usr: string;
};

export type RunOptions = {
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** [from, to], none of them in /usr or /tmp. */
  readonly mounts?: readonly (readonly [string, string])[];
  /** As a container is run that has `read_only`, `tmpfs: /tmp`, `cap_drop: [ALL]` and `no-new-privileges`, as that user; else as root in a build. */
  readonly asUser?: string;
};

/**
 * As process 1 of its own: mounts, and then the command. Whatever is mounted is gone with the last process.
 *
 * $1 root, $2 usr, $3 work folder of the overlay, $4 "ro" or "rw", then pairs of what is mounted where, "--", and the command.
 */
const ENTER = `
set -eu
root=$1 usr=$2 work=$3 mode=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$usr,workdir=$work" "$root/usr"
mount --bind -o ro /etc "$root/etc"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
while [ "$1" != -- ]; do
  mount --bind "$1" "$root$2"
  shift 2
done
shift
if [ "$mode" = ro ]; then
  mount -o remount,ro,bind "$root"
  mount -o remount,ro "$root/usr"
fi
exec chroot "$root" "$@"
`;

const TOP = ["usr", "etc", "dev", "proc", "tmp", "root", "opt", "var/lib"];

/** Why it can't be had here, in one line; undefined if it can. */
export function whyNoSandbox(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "takes root on Linux, to mount";
  const folder = mkdtempSync(join(tmpdir(), "oddlink-sandbox-"));
  try {
    const sandbox = newSandbox(folder, "probe");
    const { status, stderr } = runIn(sandbox, ["true"], { env: {}, workdir: "/" });
    return status === 0 ? undefined : `can't mount here: ${stderr.trim().split("\n", 1)[0]}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function newSandbox(folder: string, name: string): Sandbox {
  const [root, usr] = [join(folder, name, "root"), join(folder, name, "usr")];
  for (const path of TOP) mkdirSync(join(root, path), { recursive: true });
  mkdirSync(usr, { recursive: true });
  mkdirSync(`${usr}.work`);
  for (const name of ["bin", "sbin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(root, name));
  return { root, usr };
}

function argumentsOf({ root, usr }: Sandbox, command: readonly string[], options: RunOptions): string[] {
  const { env, workdir, mounts = [], asUser } = options;
  const [uid, gid = uid] = (asUser ?? "").split(":");
  const drop = ["--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"];
  const asWhom = asUser === undefined ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, ...drop];
  for (const [from, to] of mounts) makePlace(from, join(root, to));
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return [
    ...["--mount", "--pid", "--fork", "sh", "-c", ENTER, "sh"],
    ...[root, usr, `${usr}.work`, asUser === undefined ? "rw" : "ro"],
    ...[...mounts.flat(), "--"],
    ...["/usr/bin/env", "-i", "-C", workdir, ...variables, ...asWhom, ...command],
  ];
}

/** What is mounted needs a place, and on a root that is read only none can be made later. */
function makePlace(from: string, to: string): void {
  if (existsSync(to)) return;
  mkdirSync(statSync(from).isDirectory() ? to : dirname(to), { recursive: true });
  if (!existsSync(to)) writeFileSync(to, "");
}

export function runIn(sandbox: Sandbox, command: readonly string[], options: RunOptions) {
  return spawnSync("unshare", argumentsOf(sandbox, command, options), {
    encoding: "utf8",
    timeout: 300_000,
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** Lets it run; `command` is process 1 there, as in a container. */
export function startIn(sandbox: Sandbox, command: readonly string[], options: RunOptions): ChildProcess {
  return spawn("unshare", argumentsOf(sandbox, command, options), { timeout: 300_000 });
}

/** What `docker stop` and `docker kill` do: a signal to process 1. Nothing happens if it has ended. */
export function signalIn(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  // Not to unshare: who gives rights up no longer ends with its parent.
  const children = `/proc/${child.pid}/task/${child.pid}/children`;
  if (child.exitCode !== null || child.signalCode !== null || !existsSync(children)) return;
  const [first = ""] = readFileSync(children, "utf8").split(" ");
  if (first !== "") process.kill(Number(first), signal);
}
