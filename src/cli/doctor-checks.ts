import { plaintextCredentials } from "../config/plaintext.ts";
import type { Config } from "../config/schema.ts";
import type { PartitionOffsets } from "../log/kafka/client.ts";

/** `skip`: not checked, or there is nothing to check. */
export type CheckStatus = "ok" | "warn" | "FAIL" | "skip";

export type Check = {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found. */
  readonly found: string;
  /** What to do about it, if something is to be done. */
  readonly remedy?: string;
};

/** Beyond this, times in logs of brokers and workers are hard to compare, and tokens and certificates begin to fail. */
const CLOCK_MS_MAX = 2000;
const NODE_MIN = [22, 18] as const;
export const GPU_PACKAGE = "@tensorflow/tfjs-node-gpu";

/** A line for each credential that goes over the network in the clear. */
export function plaintextChecks(config: Config): Check[] {
  return plaintextCredentials(config).map((trouble) => {
    const [found = "", remedy = ""] = trouble.split(": ");
    return { name: "credentials", status: "warn", found, remedy };
  });
}

/** How far the group is behind the end of its input. */
export function lagCheck(
  offsets: readonly PartitionOffsets[],
  committed: readonly (number | undefined)[],
  members: number,
  onLostInput: "fail" | "skip",
): Check {
  const name = "lag";
  const lost = offsets.filter(({ low }, i) => committed[i] !== undefined && committed[i] < low);
  if (lost.length > 0) {
    const places = lost.map(({ partition, low }) => `${partition} (up to ${low})`).join(", ");
    return {
      name,
      status: onLostInput === "fail" ? "FAIL" : "warn",
      found: `records were deleted before they were read, in partition ${places}`,
      remedy: "keep logins for longer; kafka.onLostInput: skip goes on without them",
    };
  }
  const lags = offsets.map(({ low, stable }, i) => Math.max(0, stable - (committed[i] ?? low)));
  const sum = lags.reduce((total, lag) => total + lag, 0);
  const worst = lags.indexOf(Math.max(...lags));
  const who = members === 1 ? "1 worker" : `${members} workers`;
  const unread = committed.every((offset) => offset === undefined) ? "nothing was read yet, " : "";
  const where = sum === 0 ? "" : `, most in partition ${offsets[worst]!.partition}: ${lags[worst]}`;
  const found = `${unread}${sum} records behind in ${offsets.length} partitions${where}; ${who} in the group`;
  if (sum > 0 && members === 0)
    return { name, status: "warn", found, remedy: "start a worker: oddlink run --kafka" };
  return { name, status: "ok", found };
}

/**
 * Whether graph-state holds what was committed, and nothing else. Workers may commit while it is read.
 *
 * @param before positions committed before the topic was read, `after` those after it
 * @param covered of each partition, the first offset that graph-state does not hold; undefined if it holds nothing of it
 * @returns what is wrong, in words; empty if nothing is
 */
export function stateProblems(
  before: readonly (number | undefined)[],
  covered: readonly (number | undefined)[],
  after: readonly (number | undefined)[],
): string[] {
  const problems: string[] = [];
  for (const [partition, end] of after.entries()) {
    const held = covered[partition];
    const isRight = held === undefined ? before[partition] === undefined : held >= (before[partition] ?? 0);
    if (isRight && (held === undefined || held <= (end ?? -1))) continue;
    const committed = end === undefined ? "nothing" : `offsets below ${end}`;
    const holds = held === undefined ? "nothing" : `those below ${held}`;
    problems.push(`partition ${partition}: ${committed} committed, ${holds} held`);
  }
  return problems;
}

/** @param aheadMs how far the broker's clock is ahead, at least and at most */
export function clockCheck(aheadMs: readonly [min: number, max: number] | undefined): Check {
  const name = "clock";
  if (aheadMs === undefined)
    return {
      name,
      status: "skip",
      found:
        "not checked: it takes an aborted transaction on graph-state, which must be writable and readable",
    };
  const [min, max] = aheadMs;
  if (min <= 0 && max >= 0)
    return { name, status: "ok", found: `no difference to the broker within ${Math.max(-min, max)} ms` };
  const least = Math.min(Math.abs(min), Math.abs(max));
  const found = `the broker is at least ${least} ms ${min > 0 ? "ahead of" : "behind"} this machine`;
  if (least <= CLOCK_MS_MAX) return { name, status: "ok", found };
  return {
    name,
    status: "warn",
    found,
    remedy: "synchronise the clocks; alerts go by the time in the logins",
  };
}

export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNew = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  const name = "node";
  if (isNew) return { name, status: "ok", found: version };
  return { name, status: "FAIL", found: version, remedy: `${NODE_MIN.join(".")} or later is needed` };
}

/** @param card what nvidia-smi says; undefined if there is none */
export function gpuCheck(
  card: string | undefined,
  hasPackage: boolean,
  { backend, device }: Pick<Config["training"], "backend" | "device">,
): Check {
  const name = "gpu";
  const found = card ?? "none";
  if (backend !== "tfjs" || device !== "gpu") {
    const unused = card === undefined ? "" : ", not used: training.backend tfjs would use it";
    return { name, status: "ok", found: `${found}${unused}; training runs on the CPU` };
  }
  const other = "or training.backend simd, which needs no GPU";
  if (!hasPackage)
    return {
      name,
      status: "FAIL",
      found: `${found}; training.backend tfjs needs the package ${GPU_PACKAGE}`,
      remedy: `npm install ${GPU_PACKAGE}, ${other}`,
    };
  if (card === undefined)
    return {
      name,
      status: "FAIL",
      found: "none, and training.backend tfjs needs one",
      remedy: `install its driver, ${other}`,
    };
  return { name, status: "ok", found: `${card}, with ${GPU_PACKAGE}` };
}

/** One line a check: how it stands, its name, what was found, and what to do. */
export function renderChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, status, found, remedy }) => {
      const what = remedy === undefined ? found : `${found}; ${remedy}`;
      return `${(status === "skip" ? "-" : status).padEnd(4)}  ${name.padEnd(width)}  ${what}\n`;
    })
    .join("");
}
