import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isInContext, pairsOf, ROOT, readDockerfile, type Stage, textsOf } from "./dockerfile.ts";
import { hadolint } from "./tools.ts";

const TEST_MS_MAX = 330_000;
const { defaults, stages } = readDockerfile();
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
/** What is run by somebody; the others are thrown away. */
const images = stages.filter((stage) => textsOf(stage, "ENTRYPOINT").length > 0);

function only(stage: Stage, name: string): string {
  const texts = textsOf(stage, name);
  assert.equal(texts.length, 1, `${stage.name}: ${name}`);
  return texts[0]!;
}

test("hadolint finds nothing wrong with the Dockerfile, and no rule is ignored", {
  timeout: TEST_MS_MAX,
}, () => {
  const { status, stdout, stderr } = spawnSync(hadolint(), ["--no-color", "Dockerfile"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout + stderr);
  assert.doesNotMatch(readFileSync(join(ROOT, "Dockerfile"), "utf8"), /hadolint/);
  assert.ok(!existsSync(join(ROOT, ".hadolint.yaml")));
});

test("base images are arguments with a whole version; the Node is the one that tests run on", () => {
  for (const { name, base } of stages) {
    const argument = /^\$\{(\w+)\}$/.exec(base)?.[1] ?? assert.fail(`${name}: ${base}`);
    assert.match(defaults.get(argument) ?? "", /:\d+\.\d+\.\d+-[a-z0-9.-]+$/);
  }
  assert.equal(defaults.get("NODE_IMAGE"), `node:${manifest.devDependencies.node}-bookworm-slim`);
});

test("what is built if no target is named is the worker, and there is a trainer for a GPU", () => {
  assert.deepEqual(
    images.map(({ name }) => name),
    ["trainer-gpu", "worker"],
  );
  assert.equal(stages.at(-1)!.name, "worker");
});

test("images run Node as process 1, as nobody in particular, and SIGTERM stops it", () => {
  for (const stage of images) {
    assert.match(only(stage, "USER"), /^[1-9]\d+:[1-9]\d+$/);
    assert.deepEqual(JSON.parse(only(stage, "ENTRYPOINT")), ["node", "/opt/oddlink/dist/cli/main.js"]);
    assert.equal(only(stage, "STOPSIGNAL"), "SIGTERM");
    assert.match(only(stage, "HEALTHCHECK"), /CMD \["node", "\/opt\/oddlink\/healthy\.mjs"\]$/);
    assert.ok(Array.isArray(JSON.parse(only(stage, "CMD"))));
    // After that nothing is written any more, and what was written before belongs to root.
    const names = stage.instructions.map(({ name }) => name);
    assert.ok(names.indexOf("USER") > Math.max(names.lastIndexOf("COPY"), names.lastIndexOf("RUN")));
    assert.ok(!textsOf(stage, "COPY").some((text) => text.includes("--chown")));
  }
});

test("images say what they are", () => {
  for (const stage of images) {
    const labels = new Map(textsOf(stage, "LABEL").flatMap(pairsOf));
    assert.equal(labels.get("org.opencontainers.image.licenses"), manifest.license);
    assert.equal(labels.get("org.opencontainers.image.version"), `\${VERSION}`);
    assert.equal(labels.get("org.opencontainers.image.base.name"), stage.base);
    assert.ok(
      textsOf(stage, "ARG").includes(`VERSION=${manifest.version}`),
      "the version is that of the package",
    );
  }
});

test("what a build sees is what it needs: no history, nothing that was installed or written here, no secrets", () => {
  for (const file of ["package-lock.json", "src/cli/main.ts", "scripts/build.ts", "deploy/image/healthy.mjs"])
    assert.ok(isInContext(file), file);
  for (const file of [
    ".git/config",
    "node_modules/zod/package.json",
    "dist/index.js",
    "deploy/compose/.env",
    ".env",
  ])
    assert.ok(!isInContext(file), file);
});

test("the image for a GPU has the TensorFlow.js that the package names, by a lock of its own", () => {
  const folder = join(ROOT, "deploy", "image", "gpu");
  const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
  assert.deepEqual(Object.keys(dependencies), ["@tensorflow/tfjs-node-gpu"]);
  const [name] = Object.keys(dependencies);
  assert.equal(manifest.peerDependencies[name!], `^${dependencies[name!]}`);
  assert.deepEqual(lock.packages[""].dependencies, dependencies);
  for (const [path, { integrity }] of Object.entries<{ readonly integrity?: string }>(lock.packages))
    if (path !== "") assert.match(integrity ?? "", /^sha512-/, path);
});
