/**
 * Runs the parity tests of the training back ends on native TensorFlow, on the CPU: `node scripts/native-tensorflow.ts`.
 *
 * The npm package @tensorflow/tfjs-node fetches its libraries from where not every network reaches. This takes them, and the headers,
 * from the Python package instead and compiles the binding with g++. It needs Python with pip, npm and g++, downloads some 300 MB and
 * keeps 1.2 GB in node_modules/.cache. No test needs it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const TFJS_NODE = "@tensorflow/tfjs-node";
const TFJS_NODE_VERSION = "4.22.0";
const HEADERS_VERSION = "1.9.0";
const TENSORFLOW_VERSION = "2.21.0";

const root = join(import.meta.dirname, "..");
const cache = join(
  root,
  "node_modules",
  ".cache",
  "oddlink",
  `tfjs-node-${TFJS_NODE_VERSION}-${TENSORFLOW_VERSION}`,
);
const installed = join(cache, "node_modules", TFJS_NODE);
const binding = join(installed, "lib", "napi-v8", "tfjs_binding.node");

if (!existsSync(binding)) build();
const link = join(root, "node_modules", TFJS_NODE);
if (existsSync(link)) throw new Error(`${link} is there already: npm test runs the parity tests on it`);
symlinkSync(installed, link);
try {
  run("parity tests", process.execPath, ["--test", "test/model/backend-parity.test.ts"]);
} finally {
  rmSync(link);
}

function build(): void {
  mkdirSync(cache, { recursive: true });
  const packages = [`${TFJS_NODE}@${TFJS_NODE_VERSION}`, `node-api-headers@${HEADERS_VERSION}`];
  run("npm packages", "npm", ["install", "--ignore-scripts", "--no-save", "--prefix", cache, ...packages]);
  const wheels = join(cache, "wheels");
  const wanted = `tensorflow-cpu==${TENSORFLOW_VERSION}`;
  run("TensorFlow", "python3", ["-m", "pip", "download", "--no-deps", "--dest", wheels, wanted]);
  const [wheel] = readdirSync(wheels);
  const unpacked = join(cache, "unpacked");
  run("unpacking", "python3", ["-m", "zipfile", "-e", join(wheels, wheel!), unpacked]);
  rmSync(wheels, { recursive: true });
  const libraries = join(installed, "deps", "lib");
  mkdirSync(libraries, { recursive: true });
  for (const name of ["cc", "framework"]) {
    const [file] = globSync(`tensorflow/libtensorflow_${name}.so.*`, { cwd: unpacked });
    if (file === undefined) throw new Error(`the wheel ${wheel} has no libtensorflow_${name}`);
    // By the name that the linker looks for, and by that which the library has for the loader.
    for (const as of [name === "cc" ? "libtensorflow.so" : "libtensorflow_framework.so", file.split("/")[1]!])
      symlinkSync(join(unpacked, file), join(libraries, as));
  }
  mkdirSync(join(binding, ".."), { recursive: true });
  run("binding", "g++", [
    ...["-shared", "-fPIC", "-std=c++17", "-O2", "-DNAPI_VERSION=8", "-DNODE_GYP_MODULE_NAME=tfjs_binding"],
    ...["-I", join(cache, "node_modules", "node-api-headers", "include")],
    ...["-I", join(installed, "..")],
    ...["-I", join(unpacked, "tensorflow", "include")],
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => join(installed, "binding", file)),
    ...["-L", libraries, "-ltensorflow", "-ltensorflow_framework", "-Wl,-rpath,$ORIGIN/../../deps/lib"],
    ...["-o", binding],
  ]);
}

function run(what: string, command: string, args: readonly string[]): void {
  process.stdout.write(`\n== ${what}\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (error !== undefined) throw error;
  if (status !== 0) {
    process.stderr.write(`${what}: failed\n`);
    process.exit(1);
  }
}
