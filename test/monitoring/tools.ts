import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Outside of the project: what was fetched once is there for the next run. */
export const CACHE = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "oddlink-tools");
const FETCH_MS_MAX = 300_000;
const PACKAGES = ["prometheus", "prometheus-alertmanager"];

export type PrometheusTools = {
  readonly prometheus: string;
  readonly promtool: string;
  /** Command and first arguments. */
  readonly alertmanager: readonly string[];
};

/** Debian's Alertmanager reads its templates there, wherever it lies itself. */
const TEMPLATES = "/usr/share/prometheus/alertmanager/default.tmpl";

/**
 * Prometheus and Alertmanager: those that are installed, or those of Debian, which are unpacked and not installed, so that no service begins to run.
 *
 * @throws {Error} with one line on what to install if they can't be had
 */
export function prometheusTools(): PrometheusTools {
  return toolsIn(onPath) ?? unpacked();
}

function toolsIn(find: (name: string) => string | undefined): PrometheusTools | undefined {
  const prometheus = find("prometheus");
  const promtool = find("promtool");
  const alertmanager = find("prometheus-alertmanager") ?? find("alertmanager");
  return prometheus && promtool && alertmanager
    ? { prometheus, promtool, alertmanager: [alertmanager] }
    : undefined;
}

export function onPath(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function unpacked(): PrometheusTools {
  const place = join(CACHE, "prometheus");
  const find = (name: string): string | undefined => {
    const path = join(place, "usr", "bin", name);
    return existsSync(path) ? path : undefined;
  };
  const there = toolsIn(find);
  if (there !== undefined) return { ...there, alertmanager: seeingTemplates(place, there.alertmanager) };
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "fetching-"));
  try {
    const apt = (...args: string[]) =>
      spawnSync("apt-get", args, { cwd: folder, timeout: FETCH_MS_MAX, encoding: "utf8" });
    // Lists may be missing, or older than what they name.
    if (apt("download", ...PACKAGES).status !== 0) {
      apt("update");
      apt("download", ...PACKAGES);
    }
    for (const file of globSync("*.deb", { cwd: folder }))
      spawnSync("dpkg-deb", ["-x", join(folder, file), join(folder, "root")], { timeout: FETCH_MS_MAX });
    rmSync(place, { recursive: true, force: true });
    if (existsSync(join(folder, "root"))) renameSync(join(folder, "root"), place);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const fetched = toolsIn(find);
  if (fetched === undefined)
    throw new Error(
      "Prometheus was not found: the tests of the rules need it (Debian: apt install prometheus prometheus-alertmanager; else put prometheus, promtool and alertmanager on PATH)",
    );
  return { ...fetched, alertmanager: seeingTemplates(place, fetched.alertmanager) };
}

/** In a mount namespace of its own, where what was unpacked is in its place. */
function seeingTemplates(place: string, alertmanager: readonly string[]): readonly string[] {
  if (existsSync(TEMPLATES)) return alertmanager;
  const mount = 'mount --bind "$1" /usr/share && shift && exec "$@"';
  const share = join(place, "usr", "share");
  return ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh", share, ...alertmanager];
}
