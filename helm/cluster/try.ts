/**
 * Installs, upgrades, rolls back and uninstalls the chart on a real API server: `node helm/cluster/try.ts`.
 *
 * Builds etcd and Kubernetes into the cache of the tools if they are not there (some fifteen minutes, and 8 GiB of Go's caches), listens on loopback
 * alone, and ends what it started by process id, also when a step fails. There is no kubelet: pods pretend (KWOK), so images,
 * probes, volumes and network policies are not exercised, and `helm test`, whose pod no Job owns, would never end.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CHART, CI_VALUES, ciValues, rendered } from "../../test/helm/chart.ts";
import { customResourceFiles } from "../../test/helm/kubernetes-schemas.ts";
import { goTool, HELM, runTool, tryTool } from "../../test/helm/tools.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { Processes } from "./processes.ts";

const NAMESPACE = "security";
const WAIT = ["--wait", "--timeout", "3m"];
const SETTLE_MS_MAX = 60_000;
const OWNED =
  "configmaps,deployments,jobs,networkpolicies,pods,poddisruptionbudgets,serviceaccounts,services";
const OF_RELEASE = "app.kubernetes.io/instance=oddlink";

const folder = mkdtempSync(join(tmpdir(), "oddlink-cluster-"));
const processes = new Processes(folder);
const startedMs = Date.now();
const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => stopped.abort(new Error(`stopped by ${signal}`)));
try {
  await say("building what is missing, starting the control plane");
  await tryChart(await startControlPlane(folder, processes));
  await say("all steps passed");
} finally {
  await cleanUp();
}

async function tryChart(cluster: ControlPlane): Promise<void> {
  const access = { ...process.env, KUBECONFIG: cluster.kubeconfig };
  const homes = { HELM_CACHE_HOME: join(folder, "helm"), HELM_CONFIG_HOME: join(folder, "helm") };
  const environment = { ...access, ...homes };
  const kubectl = (...args: string[]) => runTool(cluster.kubectl, args, { env: environment });
  const inNamespace = (...args: string[]) => kubectl("--namespace", NAMESPACE, ...args);
  const helmArgs = (args: readonly string[]) => ["--namespace", NAMESPACE, ...args];
  const helm = (...args: string[]) => runTool(goTool(HELM), helmArgs(args), { env: environment });
  const refused = (...args: string[]) => {
    const { status, stderr } = tryTool(goTool(HELM), helmArgs(args), { env: environment });
    assert.notEqual(status, 0, `${args.join(" ")} was not refused`);
    return stderr.trim();
  };
  const settle = async (component: string, isSettled: (lines: readonly string[]) => boolean) => {
    const selector = `${OF_RELEASE},app.kubernetes.io/component=${component}`;
    const list = () =>
      inNamespace("get", "pods", "--selector", selector, "--no-headers").split("\n").slice(0, -1);
    await processes.until(`${component} as expected`, () => isSettled(list()), SETTLE_MS_MAX);
  };
  const revision = () =>
    inNamespace(
      "get",
      "deployment/oddlink-worker",
      "--output",
      "jsonpath={.spec.template.metadata.annotations.checksum/config}",
    );

  await say(
    `Kubernetes ${cluster.version} answers; adding nodes, kinds, and a namespace that refuses pods that are not restricted`,
  );
  const nodes = ["a", "b", "c"].map((zone) => fakeNode(`node-${zone}`, zone));
  const file = join(folder, "objects.json");
  writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: [...nodes, namespace()] }));
  show(kubectl("apply", "--filename", file));
  for (const definition of customResourceFiles())
    show(kubectl("apply", "--server-side", "--filename", definition));
  kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s");
  await processes.until("account of the namespace", () => hasAccount(), SETTLE_MS_MAX);

  await say("what each file of ci/ gives is taken by the API server");
  for (const name of CI_VALUES) {
    writeFileSync(file, rendered(ciValues(name), { version: cluster.version }));
    const taken = kubectl("apply", "--dry-run=server", "--filename", file).split("\n").length - 1;
    show(`${name}: ${taken} objects`);
  }

  await say("helm install");
  show(helm("install", "oddlink", CHART, "--values", ciValues("minimal"), ...WAIT));
  show(inNamespace("get", "deployments,pods,poddisruptionbudgets,networkpolicies", "--output=wide"));
  await settle(
    "worker",
    (lines) => lines.length === 2 && lines.every((line) => / 1\/1 +Running /.test(line)),
  );
  const first = revision();

  await say("helm upgrade: another setting, monitoring, three workers");
  const changes = ["--set", "config.alertsPerDay=20,worker.replicas=3,monitoring.monitor.enabled=true"];
  show(
    helm("upgrade", "oddlink", CHART, "--values", ciValues("minimal"), ...changes, ...WAIT).split("\n")[0]!,
  );
  await settle(
    "worker",
    (lines) => lines.length === 3 && lines.every((line) => / 1\/1 +Running /.test(line)),
  );
  show(inNamespace("get", "deployments,pods,podmonitors"));
  assert.notEqual(revision(), first);

  await say("values that contradict each other, or the schema, are refused");
  show(refused("upgrade", "oddlink", CHART, "--values", ciValues("minimal"), "--set", "worker.replicas=13"));
  show(refused("upgrade", "oddlink", CHART, "--values", ciValues("minimal"), "--set", "worker.replica=3"));

  await say("a node may be drained: who would be evicted");
  show(kubectl("drain", "node-a", "--dry-run=server", "--delete-emptydir-data"));

  await say("helm rollback to the first revision");
  show(helm("rollback", "oddlink", "1", ...WAIT));
  await settle(
    "worker",
    (lines) => lines.length === 2 && lines.every((line) => / 1\/1 +Running /.test(line)),
  );
  assert.equal(revision(), first);
  show(helm("history", "oddlink"));

  await say("helm uninstall leaves nothing");
  show(helm("uninstall", "oddlink", ...WAIT));
  const left = () => inNamespace("get", OWNED, "--selector", OF_RELEASE, "--output=name").trim();
  await processes.until("empty namespace", () => left() === "", SETTLE_MS_MAX);

  function hasAccount(): boolean {
    const args = ["--namespace", NAMESPACE, "get", "serviceaccount", "default"];
    return tryTool(cluster.kubectl, args, { env: environment }).status === 0;
  }
}

function fakeNode(name: string, zone: string): object {
  const resources = { cpu: "32", memory: "128Gi", pods: "110", "ephemeral-storage": "100Gi" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      annotations: { "kwok.x-k8s.io/node": "fake" },
      labels: { "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone },
    },
    status: { allocatable: resources, capacity: resources },
  };
}

function namespace(): object {
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } };
}

/** Begins a step, unless a signal came: programs that are waited for keep it from being seen before. */
async function say(what: string): Promise<void> {
  await nextTurn();
  stopped.signal.throwIfAborted();
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`\n== ${seconds} s: ${what}\n`);
}

function show(output: string): void {
  process.stdout.write(`${output.trimEnd().replace(/^/gm, "   ")}\n`);
}

async function cleanUp(): Promise<void> {
  await processes.stop();
  rmSync(folder, { recursive: true, force: true });
}
