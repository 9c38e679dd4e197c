import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { model } from "./model.ts";
import { objectives } from "./objectives.ts";
import { pipeline } from "./pipeline.ts";

/** All of them, each with a uid that is the name of its file. */
export function dashboards(): Dashboard[] {
  return [objectives(), pipeline(), model()].map((builder) => builder.build());
}
