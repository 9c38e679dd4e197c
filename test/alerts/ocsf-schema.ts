import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const SCHEMA = new URL("./schemas/ocsf-1.8.0-detection-finding.json", import.meta.url);

// Not strict: OCSF requires members by `anyOf` where it does not define them, which strict mode takes for a mistake.
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, "utf8")));

/**
 * What the published OCSF 1.8.0 schema has against a finding, as it would be read back from JSON.
 *
 * @returns one `path message` for each violation; empty if valid
 */
export function violations(finding: unknown): string[] {
  if (validate(JSON.parse(JSON.stringify(finding)))) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
