import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { stringify } from "yaml";
import { prometheusTools } from "./tools.ts";

/** Neither outlives this. */
const PROCESS_MS_MAX = 600_000;

/** An alert as Alertmanager sends it to a webhook. */
export type DeliveredAlert = {
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** When it came, milliseconds since the epoch. */
  readonly atMs: number;
};

export type Monitoring = {
  /** All that came so far. */
  readonly delivered: readonly DeliveredAlert[];
  /** What an expression is now, by the labels of each series. */
  query(expression: string): Promise<readonly { readonly labels: object; readonly value: number }[]>;
  said(): string;
};

/**
 * A real Prometheus that scrapes every second, with the given rules, and a real Alertmanager that sends what pages to a webhook at once; all on
 * loopback, and gone after the test.
 */
export async function startMonitoring(
  t: Pick<TestContext, "after">,
  { targets, rules }: { readonly targets: readonly string[]; readonly rules: readonly string[] },
): Promise<Monitoring> {
  const tools = prometheusTools();
  const folder = mkdtempSync(join(tmpdir(), "oddlink-monitoring-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const delivered: DeliveredAlert[] = [];
  const webhook = await startWebhook(t, delivered);
  const [port, alertmanagerPort] = [await freePort(), await freePort()];
  let said = "";
  const run = (command: string, ...args: readonly string[]): void => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], timeout: PROCESS_MS_MAX });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (said = (said + chunk).slice(-20_000)));
    t.after(() => stopped(child));
  };
  const file = (name: string, content: object): string => {
    const path = join(folder, name);
    writeFileSync(path, stringify(content));
    return path;
  };
  const receivers = [
    { name: "pager", webhook_configs: [{ url: webhook, send_resolved: true }] },
    { name: "none" },
  ];
  const routes = [{ receiver: "pager", matchers: ['severity="page"'] }];
  const route = { receiver: "none", group_by: ["alertname"], group_wait: "0s", group_interval: "1s", routes };
  const [alertmanager, ...before] = tools.alertmanager;
  run(
    alertmanager!,
    ...before,
    `--config.file=${file("alertmanager.yaml", { route, receivers })}`,
    `--storage.path=${join(folder, "alertmanager")}`,
    `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
    "--cluster.listen-address=",
  );
  run(
    tools.prometheus,
    `--config.file=${file("prometheus.yaml", {
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: rules,
      scrape_configs: [{ job_name: "oddlink", static_configs: [{ targets }] }],
      alerting: {
        alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }],
      },
    })}`,
    `--storage.tsdb.path=${join(folder, "prometheus")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  );
  return {
    delivered,
    said: () => said,
    query: async (expression) => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
      const { data } = (await (await fetch(url)).json()) as {
        readonly data: {
          readonly result: readonly { readonly metric: object; readonly value: [number, string] }[];
        };
      };
      return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
  };
}

/** Keeps what is sent to it. @returns its address */
async function startWebhook(t: Pick<TestContext, "after">, delivered: DeliveredAlert[]): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const atMs = Date.now();
    for (const alert of JSON.parse(body).alerts) delivered.push({ ...alert, atMs });
    response.end();
  });
  t.after(() => server.close());
  return `http://127.0.0.1:${await portOf(server)}/`;
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
