import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");
const COMMAND_MS_MAX = 120_000;

export type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** The package as it would be published, and an empty folder into which it was installed from its tarball. */
export class InstalledPackage {
  readonly #folder = mkdtempSync(join(tmpdir(), "oddlink-package-"));
  /** The tarball. */
  readonly tarball: string;
  /** Paths of the files in it, from the top of the package. */
  readonly files: readonly string[];
  /** The folder of a program that uses it. */
  readonly consumer = join(this.#folder, "consumer");
  /** Where it lies there. */
  readonly installed = join(this.consumer, "node_modules", "oddlink");

  /** Builds, packs and installs; some twenty seconds. */
  constructor() {
    try {
      const packed = this.mustRun("npm", ["pack", "--json", "--pack-destination", this.#folder], ROOT);
      // Before it stands what the build prints.
      const [{ filename, files }] = JSON.parse(packed.slice(packed.indexOf("[\n"))) as [
        { readonly filename: string; readonly files: readonly { readonly path: string }[] },
      ];
      this.tarball = join(this.#folder, filename);
      this.files = files.map(({ path }) => path);
      mkdirSync(this.consumer);
      writeFileSync(
        join(this.consumer, "package.json"),
        JSON.stringify({ name: "consumer", version: "1.0.0", private: true, type: "module" }),
      );
      this.mustRun("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", this.tarball]);
      // What a TypeScript program needs besides.
      mkdirSync(join(this.consumer, "node_modules", "@types"), { recursive: true });
      symlinkSync(
        join(ROOT, "node_modules", "@types", "node"),
        join(this.consumer, "node_modules", "@types", "node"),
      );
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  read(file: string): string {
    return readFileSync(join(this.installed, file), "utf8");
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.consumer, file), text);
  }

  /** In the folder of the program, if none is said. */
  run(command: string, args: readonly string[], cwd = this.consumer): Ran {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd,
      encoding: "utf8",
      env: environment(),
      timeout: COMMAND_MS_MAX,
      maxBuffer: 64 * 1024 * 1024,
    });
    if (error !== undefined) throw error;
    return { status, stdout, stderr };
  }

  /** @returns standard output */
  mustRun(command: string, args: readonly string[], cwd = this.consumer): string {
    const { status, stdout, stderr } = this.run(command, args, cwd);
    if (status !== 0)
      throw new Error(`${command} ${args.join(" ")} ended with ${status}\n${stdout}\n${stderr}`);
    return stdout;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** That of a shell: without what the test runner, or an npm around it, has set for its own children. The Node is that of the test. */
function environment(): NodeJS.ProcessEnv {
  const foreign =
    /^(NODE_TEST_CONTEXT|INIT_CWD|npm_(?!config_).*|npm_config_(local|global)_prefix|ODDLINK_.*)$/i;
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const path = `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`;
  return { ...Object.fromEntries(own), PATH: path, NO_COLOR: "1" };
}
