/**
 * Claim: millions of rows run in constant memory, at a rate that does not fall as the window fills.
 *
 *   npx node bench/constant-memory.ts [ROWS]    default 5,000,000
 *
 * Pipes the example, repeated with shifted time and renamed hosts, into `oddlink run - --train off`. Opponent: the same
 * rows into `wc -l`, which says how much of the time is spent on making and piping them. Prints the rate of each fifth,
 * the ratio of the last to the second (the first holds start-up), and the highest resident memory.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const ROOT = join(import.meta.dirname, "..");
const MAIN = join(ROOT, "src", "cli", "main.ts");
const ROWS = Number(process.argv[2] ?? 5_000_000);
/** The example covers two days; each copy begins where the one before ended. */
const SPAN_SECONDS = 172_800;
const FIFTHS = 5;

const example = gunzipSync(readFileSync(join(ROOT, "examples", "lanl", "auth.txt.gz")))
  .toString()
  .trimEnd()
  .split("\n")
  .map((row) => row.split(","));

/** One copy of the example as bytes, hosts renamed and time shifted. */
function copyOf(copy: number, rows: number): Buffer {
  let text = "";
  for (const [time, user, target, source, host, ...rest] of example.slice(0, rows)) {
    text += `${Number(time) + copy * SPAN_SECONDS},${user},${target},${source}x${copy},${host}x${copy},${rest.join(",")}\n`;
  }
  return Buffer.from(text);
}

async function feed(command: string, args: readonly string[]) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  const closed = once(child, "close");
  const startedMs = performance.now();
  const marks: number[] = [];
  let peakKiB = 0;
  for (let copy = 0, rows = 0; rows < ROWS; copy++) {
    const count = Math.min(example.length, ROWS - rows);
    if (!child.stdin.write(copyOf(copy, count))) await once(child.stdin, "drain");
    rows += count;
    peakKiB = Math.max(peakKiB, peakOf(child.pid!));
    while (marks.length < FIFTHS && rows >= ((marks.length + 1) * ROWS) / FIFTHS)
      marks.push(performance.now() - startedMs);
  }
  child.stdin.end();
  await closed;
  const seconds = (performance.now() - startedMs) / 1000;
  const rates = marks.map((ms, i) => ROWS / FIFTHS / ((ms - (marks[i - 1] ?? 0)) / 1000));
  return { output: Buffer.concat(output).toString(), seconds, rates, peakKiB };
}

/** Highest resident memory of a process so far, as the kernel counts it; 0 where there is no /proc. */
function peakOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const opponent = await feed("wc", ["-l"]);
const own = await feed(process.execPath, [
  "--disable-warning=ExperimentalWarning",
  MAIN,
  "run",
  "-",
  "--train",
  "off",
  "--json",
]);
const { consumed, alerts, graph } = JSON.parse(own.output) as {
  consumed: number;
  alerts: number;
  graph: object;
};
console.log(
  `rows                 ${number.format(consumed)} consumed, ${alerts} alerts, graph ${JSON.stringify(graph)}`,
);
console.log(
  `oddlink              ${number.format(ROWS / own.seconds)} rows/s over all, ${own.seconds.toFixed(1)} s`,
);
console.log(`rate by fifth        ${own.rates.map((rate) => number.format(rate)).join("  ")} rows/s`);
console.log(`last / second fifth  ${(own.rates.at(-1)! / own.rates[1]!).toFixed(2)}`);
console.log(`peak memory          ${number.format(own.peakKiB / 1024)} MiB resident`);
console.log(
  `wc -l, same rows     ${number.format(ROWS / opponent.seconds)} rows/s; oddlink takes ${(own.seconds / opponent.seconds).toFixed(1)} times as long`,
);
