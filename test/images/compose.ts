import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "./dockerfile.ts";

export const FOLDER = join(ROOT, "deploy", "compose");
export const COMPOSE = join(FOLDER, "compose.yaml");

export type Service = {
  readonly image: string;
  readonly build?: { readonly context: string; readonly target: string };
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly read_only?: boolean;
  readonly healthcheck?: { readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
};

/** The services of the trial, by name; what is `${...}` stays so. */
export const services: Readonly<Record<string, Service>> = parse(readFileSync(COMPOSE, "utf8"), {
  merge: true,
}).services;

/** Those that run the image of this project. */
export const ownServices: Readonly<Record<string, Service>> = Object.fromEntries(
  Object.entries(services).filter(([, { build }]) => build !== undefined),
);

export type Mount = { readonly from: string; readonly to: string; readonly options: string | undefined };

export function mountsOf({ volumes = [] }: Service): Mount[] {
  return volumes.map((volume) => {
    const [from, to, options] = volume.split(":");
    return { from: from!, to: to!, options };
  });
}
