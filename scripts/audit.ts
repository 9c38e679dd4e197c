/**
 * Asks the registry for known vulnerabilities of all that is installed with the package: `node scripts/audit.ts`. `npm test` runs it.
 *
 * Ends with 1 where one of the severity high or critical is known; with 0, saying that nothing was checked, where the registry gives no
 * answer: a build without a network is no worse than it was.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** Those that end it. */
const FATAL = ["high", "critical"] as const;
const TIMEOUT_MS = 60_000;

type Vulnerability = {
  readonly name: string;
  readonly severity: string;
  readonly range: string;
  readonly isDirect: boolean;
};
type Audit = {
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>;
  readonly metadata?: { readonly dependencies: { readonly prod: number } };
  readonly message?: string;
  readonly error?: { readonly summary?: string; readonly code?: string };
};

export type AuditResult =
  | { readonly kind: "audited"; readonly dependencies: number; readonly found: readonly Vulnerability[] }
  | { readonly kind: "unavailable"; readonly why: string };

/** @param output what `npm audit --json` has printed */
export function readAudit(output: string): AuditResult {
  let audit: Audit;
  try {
    audit = JSON.parse(output) as Audit;
  } catch {
    return { kind: "unavailable", why: "npm audit gave no JSON" };
  }
  const { vulnerabilities, metadata, message, error } = audit;
  if (vulnerabilities === undefined || metadata === undefined)
    return {
      kind: "unavailable",
      why: message ?? error?.summary ?? error?.code ?? "npm audit gave no report",
    };
  return { kind: "audited", dependencies: metadata.dependencies.prod, found: Object.values(vulnerabilities) };
}

export function isFatal({ severity }: Pick<Vulnerability, "severity">): boolean {
  return (FATAL as readonly string[]).includes(severity);
}

if (process.argv[1] === import.meta.filename) {
  const { stdout, error } = spawnSync("npm", ["audit", "--omit=dev", "--json"], {
    cwd: join(import.meta.dirname, ".."),
    encoding: "utf8",
    timeout: TIMEOUT_MS,
  });
  const result: AuditResult =
    error === undefined ? readAudit(stdout) : { kind: "unavailable", why: error.message };
  if (result.kind === "unavailable") {
    process.stdout.write(`NOT audited: the registry gives no answer (${result.why})\n`);
  } else {
    const { dependencies, found } = result;
    process.stdout.write(`${dependencies} packages audited, ${found.length} with known vulnerabilities\n`);
    for (const { name, severity, range } of found) process.stdout.write(`${severity}: ${name} ${range}\n`);
    if (found.some(isFatal)) process.exitCode = 1;
  }
}
