import { globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { cached, goModule, pythonPackage } from "./tools.ts";

/** The first and the last version of Kubernetes that the chart is checked against; both are in the package of PyPI. */
export const KUBERNETES_VERSIONS = ["1.27.0", "1.37.0"] as const;

const PACKAGE = { name: "kubernetes-validate", version: "1.37.0" } as const;
/** Modules of Go whose files define the kinds that are not Kubernetes' own. */
export const CRD_MODULES = [
  {
    module: "github.com/prometheus-operator/prometheus-operator",
    version: "0.85.0",
    files: "example/prometheus-operator-crd/*_{podmonitors,prometheusrules,servicemonitors}.yaml",
  },
  {
    module: "github.com/kedacore/keda/v2",
    version: "2.21.0",
    files: "config/crd/bases/keda.sh_{scaledobjects,triggerauthentications}.yaml",
  },
] as const;

type Json = { [key: string]: unknown };

/** Arguments of kubeconform by which it finds a schema of every kind that the chart has, without a network. */
export function schemaLocations(): string[] {
  return ["-schema-location", kubernetesSchemas(), "-schema-location", customSchemas()];
}

/**
 * Those of PyPI refer to each other by an address that nobody answers: with it kubeconform finds no schema, and what it
 * finds none for, it would pass if it were told to ignore that.
 */
function kubernetesSchemas(): string {
  const folder = cached(`kubernetes-schemas-${PACKAGE.version}`, ".", (partial) => {
    const whole = pythonPackage(PACKAGE.name, PACKAGE.version);
    for (const version of KUBERNETES_VERSIONS) {
      const [from] = globSync(`**/v${version}-local-strict`, { cwd: whole });
      if (from === undefined) throw new Error(`${PACKAGE.name} has no schemas of Kubernetes ${version}`);
      const to = join(partial, `v${version}-strict`);
      mkdirSync(to);
      for (const file of readdirSync(join(whole, from)).filter((name) => name.endsWith(".json"))) {
        const schema = JSON.parse(readFileSync(join(whole, from, file), "utf8")) as Json;
        delete schema["$id"];
        const text = JSON.stringify(schema).replaceAll("/api/_definitions.json", "_definitions.json");
        writeFileSync(join(to, file), text);
      }
    }
  });
  return join(
    folder,
    "{{ .NormalizedKubernetesVersion }}-strict",
    "{{ .ResourceKind }}{{ .KindSuffix }}.json",
  );
}

function customSchemas(): string {
  const versions = CRD_MODULES.map(({ version }) => version).join("-");
  const folder = cached(`custom-schemas-${versions}`, ".", (partial) => {
    for (const file of customResourceFiles()) {
      for (const document of parseAllDocuments(readFileSync(file, "utf8"))) {
        const { spec } = document.toJS() as { readonly spec: CustomResource };
        for (const { name, schema } of spec.versions) {
          const path = join(partial, spec.group, `${spec.names.kind.toLowerCase()}_${name}.json`);
          mkdirSync(join(partial, spec.group), { recursive: true });
          writeFileSync(path, JSON.stringify(closed(schema.openAPIV3Schema)));
        }
      }
    }
  });
  return join(folder, "{{ .Group }}", "{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json");
}

type CustomResource = {
  readonly group: string;
  readonly names: { readonly kind: string };
  readonly versions: readonly {
    readonly name: string;
    readonly schema: { readonly openAPIV3Schema: Json };
  }[];
};

/** The definitions themselves, for an API server. */
export function customResourceFiles(): string[] {
  return CRD_MODULES.flatMap(({ module, version, files }) => {
    const folder = goModule(module, version);
    const found = globSync(files, { cwd: folder }).sort();
    if (found.length === 0) throw new Error(`${module} ${version} has no ${basename(files)}`);
    return found.map((file) => join(folder, file));
  });
}

/** The schema of a definition as JSON Schema has it, in which a field that there is not is an error. */
function closed(schema: Json): Json {
  const result: Json = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties")
      result[key] = Object.fromEntries(
        Object.entries(value as Json).map(([name, child]) => [name, closed(child as Json)]),
      );
    else if (key === "items" || (key === "additionalProperties" && typeof value === "object"))
      result[key] = closed(value as Json);
    else if (key !== "description") result[key] = value;
  }
  if (schema["x-kubernetes-int-or-string"] === true) {
    delete result["type"];
    delete result["anyOf"];
    result["type"] = ["integer", "string"];
  }
  if (schema["nullable"] === true && typeof result["type"] === "string")
    result["type"] = [result["type"], "null"];
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true || "additionalProperties" in schema;
  if ("properties" in schema && !isOpen) result["additionalProperties"] = false;
  return result;
}
