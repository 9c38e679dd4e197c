import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { parseAllDocuments } from "yaml";
import { goTool, HELM, runTool } from "./tools.ts";

export const CHART = join(import.meta.dirname, "..", "..", "helm", "oddlink");
/** Those of `ci/`: each a whole installation. */
export const CI_VALUES = ["gpu", "ha", "keda", "minimal", "monitoring-off", "tls-sasl"] as const;

/** An object of Kubernetes, as far as tests look into it. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly groups?: readonly unknown[];
    readonly template?: { readonly spec: { readonly containers: readonly Container[] } };
  };
};

export type Container = {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
};

export function ciValues(name: string): string {
  return join(CHART, "ci", `${name}-values.yaml`);
}

/** What `helm template` prints. */
export function rendered(
  values: string,
  options: { readonly chart?: string; readonly version?: string } = {},
): string {
  const { chart = CHART, version = "1.37.0" } = options;
  const release = ["template", "oddlink", chart, "--namespace", "security", "--kube-version", version];
  return runTool(goTool(HELM), [...release, "--values", values]);
}

export function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** A copy of the chart without rules and dashboards, gone after the test. */
export function chartCopy(t: Pick<TestContext, "after">): string {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-chart-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const generated = [join(CHART, "files", "rules"), join(CHART, "files", "dashboards")];
  cpSync(CHART, folder, { recursive: true, filter: (source) => !generated.includes(source) });
  return folder;
}
