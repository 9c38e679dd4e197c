import type { Epoch } from "../epoch.ts";
import { FEATURE_KIND, FEATURE_RELATION, FeatureNeighbours } from "./node-features.ts";

/** The bins of an epoch, for entities that it does not know; undefined if it was trained without features. */
export function featureNeighbours({
  manifest,
  entityKinds,
  entityNames,
}: Epoch): FeatureNeighbours | undefined {
  const { features, kindNames, relationNames } = manifest;
  if (features.length === 0) return undefined;
  const kind = kindNames.indexOf(FEATURE_KIND);
  const rows = new Map<string, number>();
  for (const [row, name] of entityNames.entries()) if (entityKinds[row] === kind) rows.set(name, row);
  return new FeatureNeighbours(features, (name) => rows.get(name)!, relationNames.indexOf(FEATURE_RELATION));
}
