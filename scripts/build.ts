/**
 * Builds `dist/` for publishing: `npm run build`. The page has types of its own, those of a browser, and files that are no TypeScript.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const PAGE = join("console", "page");

// What a source that is gone was built to would be published too.
rmSync(join(ROOT, "dist"), { recursive: true, force: true });
for (const project of ["tsconfig.build.json", "tsconfig.page.build.json"]) {
  const tsc = join(ROOT, "node_modules", ".bin", "tsc");
  const { status } = spawnSync(tsc, ["-p", project], { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
for (const file of readdirSync(join(ROOT, "src", PAGE)))
  if (!file.endsWith(".ts")) copyFileSync(join(ROOT, "src", PAGE, file), join(ROOT, "dist", PAGE, file));
