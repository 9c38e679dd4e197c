/**
 * Compiles the kernels: `npm run kernels`. The result is kept in the repository, so that nobody needs a compiler to run it;
 * a test compiles them again and compares.
 *
 *   node scripts/kernels.ts [FILE]     where to write, instead of the place from which they are loaded
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const COMPILER = join(ROOT, "node_modules", "assemblyscript", "bin", "asc.js");
const SOURCE = join("kernels", "rgcn.ts");
const TARGET = join(ROOT, "src", "model", "backends", "simd", "compiled-kernels.ts");

const [target = TARGET] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "oddlink-kernels-"));
try {
  const compiled = join(folder, "rgcn.wasm");
  const { status } = spawnSync(
    process.execPath,
    [
      COMPILER,
      SOURCE,
      ...["--outFile", compiled, "-O3", "--runtime", "stub", "--noAssert"],
      // The memory comes from outside, for threads share it; how much of it there is nobody knows before.
      ...["--importMemory", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"],
      // Vectors pass from file to file, not to JavaScript, which is what it warns of.
      ...["--disableWarning", "112"],
      ...["--enable", "simd", "--enable", "relaxed-simd", "--enable", "threads"],
    ],
    { cwd: ROOT, stdio: "inherit" },
  );
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(
    target,
    `/** kernels/rgcn.ts as WebAssembly, in base64: written by \`npm run kernels\`. */
export const COMPILED_KERNELS =
  "${readFileSync(compiled).toString("base64")}";
`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
