/**
 * Claim: a million new users within five minutes of event time do not make a worker larger than its cap of links does.
 *
 *   npx node bench/key-explosion.ts [USERS] [MAX_LINKS]    default 1,000,000 and 200,000
 *
 * Pipes logins, each of a user and a source host never seen before, into `oddlink run - --train off`. Opponent: the same
 * number of logins of 1,000 users, under the same cap. Prints resident memory by fifth, both peaks and the links evicted;
 * ends with 1 if the peak is above the bound.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "..", "src", "cli", "main.ts");
const USERS = Number(process.argv[2] ?? 1_000_000);
const MAX_LINKS = Number(process.argv[3] ?? 200_000);
const RSS_MIB_MAX = 600;
const START_MS = Date.UTC(2026, 0);
const SPAN_MS = 5 * 60_000;
const CHUNK = 2000;
const FIFTHS = 5;

function chunkOf(first: number, users: number): Buffer {
  let text = "";
  for (let i = first; i < Math.min(first + CHUNK, USERS); i++) {
    const name = i % users;
    text += `${JSON.stringify({
      timeMs: START_MS + Math.floor((i / USERS) * SPAN_MS),
      user: `user-${name}`,
      sourceHost: `host-${name}`,
      targetHost: `server-${name % 100}`,
      authType: "Kerberos",
      logonType: "Network",
    })}\n`;
  }
  return Buffer.from(text);
}

async function feed(users: number) {
  const args = ["run", "-", "--format", "oddlink", "--train", "off", "--json"];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ODDLINK_WINDOW_MAXLINKS: String(MAX_LINKS) },
  });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  const closed = once(child, "close");
  const residentMiB: number[] = [];
  let peakMiB = 0;
  for (let i = 0; i < USERS; i += CHUNK) {
    if (!child.stdin.write(chunkOf(i, users))) await once(child.stdin, "drain");
    peakMiB = Math.max(peakMiB, memoryOf(child.pid!, "VmHWM"));
    if (residentMiB.length < Math.floor((i * FIFTHS) / USERS))
      residentMiB.push(memoryOf(child.pid!, "VmRSS"));
  }
  residentMiB.push(memoryOf(child.pid!, "VmRSS"));
  child.stdin.end();
  await closed;
  const summary = JSON.parse(Buffer.concat(output).toString()) as {
    consumed: number;
    scored: number;
    alerts: number;
    loginsPerSecond: number;
    graph: { links: number };
    notes: string[];
  };
  return { peakMiB, residentMiB, ...summary };
}

/** Of a process, as the kernel counts it, MiB; 0 where there is no /proc. */
function memoryOf(pid: number, field: "VmHWM" | "VmRSS"): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const opponent = await feed(1000);
const own = await feed(USERS);
for (const [what, result] of [
  ["1,000 users", opponent],
  ["new users", own],
] as const) {
  const evicted = result.notes.find((note) => note.includes("evicted")) ?? "nothing was evicted";
  console.log(
    `${what.padEnd(12)} ${number.format(result.scored)} of ${number.format(result.consumed)} scored, ` +
      `${number.format(result.loginsPerSecond)}/s, ${number.format(result.alerts)} alerts, ${result.graph.links} links; ${evicted}`,
  );
  const fifths = result.residentMiB.map((mib) => number.format(mib)).join("  ");
  console.log(`${"".padEnd(12)} resident MiB by fifth ${fifths}, peak ${number.format(result.peakMiB)}`);
}
console.log(`peak         ${(own.peakMiB / opponent.peakMiB).toFixed(2)} times that of 1,000 users`);
process.exitCode = own.peakMiB <= RSS_MIB_MAX && own.scored === USERS ? 0 : 1;
