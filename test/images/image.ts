import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { isInContext, pairsOf, ROOT, readDockerfile, type Stage, textsOf } from "./dockerfile.ts";
import { newSandbox, type RunOptions, runIn, type Sandbox, startIn } from "./sandbox.ts";

/** What a build on a network of its own may need to reach registries by. */
const PASSED_ON =
  /^(https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|npm_config_(registry|cafile|proxy|https_proxy))$/i;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** That of the base image, whichever runs the test. */
const NODE = join(ROOT, "node_modules", "node", "bin", "node");
export const SOURCE_DATE_EPOCH = "1700000000";

/** An image of the Dockerfile, put together by doing what its instructions say. */
export class Image {
  readonly #folder = mkdtempSync(join(tmpdir(), "oddlink-image-"));
  readonly #built = new Map<string, Sandbox>();
  readonly sandbox: Sandbox;
  readonly #stage: Stage;

  /** @throws {Error} with what was said if a step fails */
  constructor(target: string) {
    try {
      this.#stage = readDockerfile().stages.find(({ name }) => name === target)!;
      this.sandbox = this.#build(this.#stage);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** A path of the image, outside of /usr. */
  path(...parts: readonly string[]): string {
    return join(this.sandbox.root, ...parts);
  }

  get entrypoint(): string[] {
    return JSON.parse(textsOf(this.#stage, "ENTRYPOINT")[0]!);
  }

  run(command: readonly string[], options: Partial<RunOptions> = {}) {
    return runIn(this.sandbox, command, this.#options(options));
  }

  start(command: readonly string[], options: Partial<RunOptions> = {}) {
    return startIn(this.sandbox, command, this.#options(options));
  }

  /** A folder outside of the image, which is that of the user of the image. */
  volume(name: string): string {
    const folder = join(this.#folder, "volumes", name);
    mkdirSync(folder, { recursive: true });
    const [uid, gid] = textsOf(this.#stage, "USER")[0]!.split(":");
    spawnSync("chown", [`${uid}:${gid}`, folder]);
    return folder;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #options({ env, ...options }: Partial<RunOptions>): RunOptions {
    const own = Object.fromEntries(textsOf(this.#stage, "ENV").flatMap(pairsOf));
    const workdir = textsOf(this.#stage, "WORKDIR").at(-1)!;
    const asUser = textsOf(this.#stage, "USER")[0]!;
    return { workdir, asUser, ...options, env: { PATH, ...own, ...env } };
  }

  #build(stage: Stage): Sandbox {
    const built = this.#built.get(stage.name);
    if (built !== undefined) return built;
    assert.match(stage.base, /NODE_IMAGE/, "only images on Node's are put together here");
    const sandbox = newSandbox(this.#folder, stage.name);
    const bin = join(sandbox.usr, "local", "bin");
    mkdirSync(bin, { recursive: true });
    copyFileSync(NODE, join(bin, "node"));
    this.#built.set(stage.name, sandbox);
    let workdir = "/";
    for (const { name, text } of stage.instructions) {
      if (name === "WORKDIR") {
        workdir = text;
        mkdirSync(join(sandbox.root, workdir), { recursive: true });
      } else if (name === "RUN") this.#runStep(sandbox, workdir, text);
      else if (name === "COPY") this.#copy(sandbox, workdir, text);
    }
    return sandbox;
  }

  #runStep(sandbox: Sandbox, workdir: string, text: string): void {
    const passed = Object.entries(process.env).filter(([name]) => PASSED_ON.test(name));
    const env = { PATH, HOME: "/root", SOURCE_DATE_EPOCH, ...Object.fromEntries(passed) };
    // Packages that are at hand need not be fetched anew; what registry there is, the file may tell.
    const mounts = [".npm", ".npmrc"]
      .map((name) => [join(homedir(), name), `/root/${name}`] as const)
      .filter(([from]) => existsSync(from));
    const { status, stdout, stderr } = runIn(sandbox, ["/bin/sh", "-c", text], {
      env: env as Record<string, string>,
      workdir,
      mounts,
    });
    if (status !== 0) throw new Error(`RUN ${text} ended with ${status}\n${stdout}\n${stderr}`);
  }

  #copy(sandbox: Sandbox, workdir: string, text: string): void {
    const words = text.split(/\s+/);
    const [from] = words
      .filter((word) => word.startsWith("--from="))
      .map((word) => word.slice("--from=".length));
    const paths = words.filter((word) => !word.startsWith("--"));
    const to = join(sandbox.root, paths.at(-1)!.startsWith("/") ? "" : workdir, paths.at(-1)!);
    for (const path of paths.slice(0, -1)) {
      if (from === undefined && path === ".") this.#copyContext(to);
      else {
        const stage = readDockerfile().stages.find(({ name }) => name === from);
        const source = join(stage === undefined ? ROOT : this.#build(stage).root, path);
        if (stage === undefined) assert.ok(isInContext(path), `${path} is left out by .dockerignore`);
        const isInto = !statSync(source).isDirectory() && /[/.]$/.test(paths.at(-1)!);
        const target = isInto ? join(to, basename(path)) : to;
        mkdirSync(dirname(target), { recursive: true });
        cpSync(source, target, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
      }
    }
  }

  #copyContext(to: string): void {
    const git = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    const { stdout } = spawnSync("git", git, { cwd: ROOT, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
    const files = stdout.split("\0").filter((file) => file !== "" && isInContext(file));
    assert.ok(files.length > 100, "no files of the project were found: git is needed");
    for (const file of files) if (existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(to, file));
  }
}
