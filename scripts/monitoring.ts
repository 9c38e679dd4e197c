/**
 * Makes what Prometheus and Grafana load, and the chart ships: `npm run monitoring`, after a change of monitoring/.
 *
 *   monitoring/slos.yaml      -> monitoring/rules/slos.yaml      by sloth, which is built if it is not there: needs Go
 *   monitoring/dashboards     -> monitoring/dashboards/*.json
 *   both, and the other rules -> helm/oddlink/files
 *
 * A test fails while any of it is stale; it needs neither.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { parse, stringify } from "yaml";
import { dashboards } from "../monitoring/dashboards/dashboards.ts";

const ROOT = join(import.meta.dirname, "..");
export const MONITORING = join(ROOT, "monitoring");
export const CHART_FILES = join(ROOT, "helm", "oddlink", "files");
const SLOS = join(MONITORING, "slos.yaml");
const SLO_RULES = join(MONITORING, "rules", "slos.yaml");

const SLOTH_VERSION = "0.12.0";
const CACHE = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "oddlink-tools");
const BUILD_MS_MAX = 1_200_000;

/** What the source of the rules is, so that rules of another one are noticed without making them anew. */
export function sourceMark(): string {
  return `# Made by \`npm run monitoring\` of monitoring/slos.yaml, sha256 ${sha256(readFileSync(SLOS))}\n`;
}

/** Each dashboard as Grafana imports it, by the name of its file. */
export function renderDashboards(): ReadonlyMap<string, string> {
  return new Map(
    dashboards().map((dashboard) => [`${dashboard.uid}.json`, `${JSON.stringify(dashboard, null, 2)}\n`]),
  );
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function sloth(): string {
  const onPath = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "sloth"));
  const built = join(CACHE, `sloth-${SLOTH_VERSION}`, "sloth");
  const there = [...onPath, built].find((path) => existsSync(path));
  if (there !== undefined) return there;
  process.stdout.write(`building sloth ${SLOTH_VERSION}, which takes some minutes\n`);
  const { status, error } = spawnSync(
    "go",
    ["install", `github.com/slok/sloth/cmd/sloth@v${SLOTH_VERSION}`],
    {
      stdio: "inherit",
      timeout: BUILD_MS_MAX,
      env: { ...process.env, GOBIN: join(CACHE, `sloth-${SLOTH_VERSION}`) },
    },
  );
  if (status !== 0)
    throw new Error(`sloth was not found and can't be built, which takes Go: ${error?.message ?? status}`);
  return built;
}

function writeSloRules(): void {
  const { status, stdout, stderr } = spawnSync(sloth(), ["generate", "-i", SLOS, "--no-color"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`sloth: ${stderr}`);
  writeFileSync(SLO_RULES, sourceMark() + stringify(parse(stdout), { lineWidth: 0 }));
}

function writeDashboards(): void {
  for (const [file, text] of renderDashboards()) writeFileSync(join(MONITORING, "dashboards", file), text);
}

function writeChartFiles(): void {
  for (const kind of ["rules", "dashboards"] as const) {
    const to = join(CHART_FILES, kind);
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to, { recursive: true });
    for (const file of globSync(join(MONITORING, kind, kind === "rules" ? "*.yaml" : "*.json")))
      cpSync(file, join(to, basename(file)));
  }
}

function format(): void {
  const biome = join(ROOT, "node_modules", ".bin", "biome");
  const { status, stderr } = spawnSync(biome, ["format", "--write", "monitoring"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`biome: ${stderr}`);
}

if (process.argv[1] === import.meta.filename) {
  writeSloRules();
  writeDashboards();
  format();
  writeChartFiles();
}
