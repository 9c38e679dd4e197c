import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { loadConfig, SETTINGS } from "../../src/config/load.ts";
import { prometheusTools } from "../monitoring/tools.ts";
import { COMPOSE, FOLDER, mountsOf, ownServices, services } from "./compose.ts";
import { composeGo } from "./tools.ts";

const TEST_MS_MAX = 330_000;
const TOKEN = "a-token-of-a-test";
const read = (path: string) => parse(readFileSync(join(FOLDER, path), "utf8"));

test("the reader of docker compose takes the file, and all that it refers to is in it", {
  timeout: TEST_MS_MAX,
}, () => {
  const { status, stdout, stderr } = spawnSync(
    composeGo(),
    ["-no-interpolation", "-format", "json", COMPOSE],
    { encoding: "utf8", cwd: FOLDER },
  );
  assert.equal(status, 0, stderr);
  assert.deepEqual(Object.keys(JSON.parse(stdout).services).sort(), Object.keys(services).sort());
});

test("ports are published to this machine alone", () => {
  const published = Object.values(services).flatMap(({ ports = [] }) => ports);
  assert.ok(published.length >= 4);
  for (const port of published) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
  assert.equal(new Set(published).size, published.length);
});

test("images of others have a whole version; no container is given more than it needs", () => {
  for (const [name, service] of Object.entries(services)) {
    if (service.build === undefined) assert.match(service.image, /:v?\d+\.\d+\.\d+$/, name);
    assert.deepEqual(service.cap_drop, ["ALL"], name);
    assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
    for (const key of ["privileged", "cap_add", "network_mode", "pid", "devices", "user"])
      assert.ok(!(key in service), `${name}: ${key}`);
    for (const { from } of mountsOf(service)) assert.doesNotMatch(from, /docker\.sock/, name);
  }
  assert.ok(Object.keys(ownServices).length >= 5);
  for (const [name, service] of Object.entries(ownServices)) {
    assert.equal(service.read_only, true, name);
    assert.equal(service.build?.target, "worker", name);
  }
});

test("what is mounted from here exists, and is read only", () => {
  const all = Object.values(services).flatMap(mountsOf);
  const mounted = all.filter(({ from }) => from.startsWith("."));
  assert.ok(mounted.length >= 5);
  for (const { from, options } of mounted) {
    assert.ok(existsSync(join(FOLDER, from)), from);
    assert.equal(options, "ro", from);
  }
});

test("each variable of oddlink is a setting, and together they are a configuration", () => {
  const known = new Set(SETTINGS.map(({ variable }) => variable));
  for (const [name, { environment = {} }] of Object.entries(ownServices)) {
    const own = Object.entries(environment).filter(([variable]) => variable.startsWith("ODDLINK_"));
    for (const [variable] of own) assert.ok(known.has(variable), `${name}: ${variable}`);
    const given = own.map(([variable, value]) => [variable, value.startsWith("${") ? TOKEN : value]);
    loadConfig({ environment: Object.fromEntries(given), flags: {} });
  }
});

test("there is no token that everybody knows: without one of its own a trial does not start", () => {
  const { environment } = services["worker"]!;
  assert.match(environment!["ODDLINK_HTTP_TOKEN"]!, /^\$\{ODDLINK_HTTP_TOKEN:\?[^}]+\}$/);
  assert.equal(readFileSync(join(FOLDER, ".gitignore"), "utf8"), ".env\n");
});

test("promtool finds nothing wrong with the configuration of Prometheus, rules as they are mounted", {
  timeout: TEST_MS_MAX,
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-compose-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const { from, to } of mountsOf(services["prometheus"]!))
    if (from.startsWith(".")) cpSync(join(FOLDER, from), join(folder, to), { recursive: true });
  const [argument] = services["prometheus"]!.command!;
  const config = join(folder, argument!.replace("--config.file=", ""));
  const { status, stdout, stderr } = spawnSync(prometheusTools().promtool, ["check", "config", config], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /SUCCESS: 3 rule files found/);
});

test("Prometheus scrapes each process of oddlink that serves metrics, and nothing else", () => {
  const [{ static_configs }] = read("prometheus.yaml").scrape_configs;
  const serving = Object.entries(ownServices).filter(
    ([, { environment = {}, healthcheck }]) =>
      environment["ODDLINK_MANAGEMENT_PORT"] !== undefined && healthcheck?.disable !== true,
  );
  assert.deepEqual(
    static_configs.flatMap(({ targets }: { readonly targets: readonly string[] }) => targets).sort(),
    serving.map(([name, { environment }]) => `${name}:${environment!["ODDLINK_MANAGEMENT_PORT"]}`).sort(),
  );
});

test("Grafana finds Prometheus, and the dashboards where they are mounted", () => {
  const grafana = services["grafana"]!;
  const placeOf = (path: string): string => {
    const mount =
      mountsOf(grafana).find(({ to }) => path === to || path.startsWith(`${to}/`)) ??
      assert.fail(`${path} is not mounted`);
    return join(FOLDER, mount.from, path.slice(mount.to.length));
  };
  const [source] = parse(
    readFileSync(placeOf("/etc/grafana/provisioning/datasources/prometheus.yaml"), "utf8"),
  ).datasources;
  const { hostname, port } = new URL(source.url);
  assert.ok(hostname in services);
  assert.ok(services[hostname]!.ports!.some((published) => published.endsWith(`:${port}`)));
  const [provider] = parse(
    readFileSync(placeOf("/etc/grafana/provisioning/dashboards/oddlink.yaml"), "utf8"),
  ).providers;
  const home = grafana.environment!["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]!;
  assert.equal(dirname(home), provider.options.path);
  assert.match(JSON.parse(readFileSync(placeOf(home), "utf8")).uid, /^oddlink-/);
});
