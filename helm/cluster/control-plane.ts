import { generateKeyPairSync, randomBytes } from "node:crypto";
import { globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GoTool, goModule, goTool, tryTool } from "../../test/helm/tools.ts";
import { freePort, type Processes } from "./processes.ts";

const KUBERNETES = "1.37.2";
const KWOK = "0.8.0";
const START_MS_MAX = 60_000;

/** Without these it says it is 0.0.0, which the `kubeVersion` of a chart refuses. */
const VERSION_FLAGS = [`gitVersion=v${KUBERNETES}`, "gitMajor=1", "gitMinor=37"]
  .map((setting) => `-X k8s.io/component-base/version.${setting}`)
  .join(" ");

/** What KWOK is told to do with nodes and pods: they are ready at once, pods of Jobs are done at once. */
const STAGES = ["node/fast", "node/heartbeat", "pod/fast"];

export type ControlPlane = {
  readonly version: string;
  readonly kubeconfig: string;
  readonly kubectl: string;
};

/**
 * A real API server with etcd, controllers and scheduler, and nodes that only pretend, on loopback.
 *
 *   etcd <-- kube-apiserver <-- controller manager, scheduler, kwok (in the kubelets' place), kubectl, helm
 *
 * @param folder for what it writes; gone with it
 * @param processes by which it is ended
 */
export async function startControlPlane(folder: string, processes: Processes): Promise<ControlPlane> {
  const etcd = goTool({
    name: "etcd",
    version: "3.7.3",
    package: "go.etcd.io/etcd/server/v3",
    wrapper: "etcd",
  });
  const [apiserver, manager, scheduler, kubectl] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
  ].map((name) => goTool(kubernetesTool(name), VERSION_FLAGS)) as [string, string, string, string];
  const kwok = goTool({ name: "kwok", version: KWOK, package: "sigs.k8s.io/kwok/cmd/kwok" });

  const [clients, peers, secure] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${clients}`;
  const peerUrl = `http://127.0.0.1:${peers}`;
  processes.start(etcd, "etcd", [
    `--data-dir=${join(folder, "etcd")}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    "--unsafe-no-fsync",
  ]);
  await processes.until("etcd", () => answers(`${etcdUrl}/health`), START_MS_MAX);

  const token = randomBytes(16).toString("hex");
  writeFileSync(join(folder, "tokens.csv"), `${token},admin,1,system:masters\n`, { mode: 0o600 });
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = join(folder, "sa.key");
  writeFileSync(key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  processes.start(apiserver, "kube-apiserver", [
    `--etcd-servers=${etcdUrl}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    // An endpoint of the API server on loopback is refused otherwise.
    "--endpoint-reconciler-type=none",
    `--secure-port=${secure}`,
    `--cert-dir=${join(folder, "certificates")}`,
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    "--service-cluster-ip-range=10.0.0.0/24",
    `--token-auth-file=${join(folder, "tokens.csv")}`,
    "--authorization-mode=RBAC",
    "--disable-admission-plugins=ServiceAccount",
  ]);
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, kubeconfigText(secure, token), { mode: 0o600 });

  const isReady = () =>
    tryTool(kubectl, ["--kubeconfig", kubeconfig, "get", "--raw", "/readyz"]).status === 0;
  await processes.until("API server", isReady, START_MS_MAX);

  const access = [`--kubeconfig=${kubeconfig}`, "--bind-address=127.0.0.1", "--leader-elect=false"];
  const delegated = [`--authentication-kubeconfig=${kubeconfig}`, `--authorization-kubeconfig=${kubeconfig}`];
  processes.start(manager, "kube-controller-manager", [
    ...access,
    ...delegated,
    `--secure-port=${await freePort()}`,
    `--service-account-private-key-file=${key}`,
  ]);
  processes.start(scheduler, "kube-scheduler", [
    ...access,
    ...delegated,
    `--secure-port=${await freePort()}`,
  ]);
  const module = goModule("sigs.k8s.io/kwok", KWOK);
  const stages = STAGES.flatMap((stage) => globSync(`kustomize/stage/${stage}/*.yaml`, { cwd: module }))
    .filter((file) => !file.endsWith("kustomization.yaml"))
    .map((file) => `--config=${join(module, file)}`);
  processes.start(kwok, "kwok", [
    `--kubeconfig=${kubeconfig}`,
    "--manage-all-nodes=false",
    "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
    ...stages,
  ]);
  return { version: KUBERNETES, kubeconfig, kubectl };
}

function kubernetesTool(name: string): GoTool {
  return { name, version: KUBERNETES, package: `k8s.io/kubernetes/cmd/${name}`, wrapper: "kubernetes" };
}

function kubeconfigText(port: number, token: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    // The certificate is one that the server made for itself just now, on loopback.
    clusters: [
      { name: "try", cluster: { server: `https://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } },
    ],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "try", context: { cluster: "try", user: "admin" } }],
    "current-context": "try",
  });
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
