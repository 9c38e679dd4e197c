import type { Finding, Suppression } from "./api.ts";
import { countText, h, shownName } from "./dom.ts";

/** By which rule nobody is told, and who answers for that, in one sentence. */
export function suppressionText({ id, owner, reason, until }: Suppression): readonly (Node | string)[] {
  const named = (text: string): Node => h("bdi", {}, text === "" ? "not said" : shownName(text));
  return [
    ...["Suppressed by rule ", named(id), " of ", named(owner)],
    ...[" until ", named(until), ": ", named(reason)],
  ];
}

/** Why nobody was told of an incident, each rule once; undefined for one that was told. */
export function suppressionNote(alerts: readonly Finding[]): HTMLElement | undefined {
  const byRule = new Map<string, { readonly suppression: Suppression; alerts: number }>();
  for (const { evidences } of alerts) {
    const { suppression } = evidences[0].data;
    if (suppression === undefined) continue;
    const key = JSON.stringify(suppression);
    const known = byRule.get(key);
    if (known === undefined) byRule.set(key, { suppression, alerts: 1 });
    else known.alerts++;
  }
  if (byRule.size === 0) return undefined;
  return h(
    "div",
    { class: "note", role: "note" },
    h("p", {}, "Nobody was told of this incident, and no budget counts it."),
    ...[...byRule.values()].map(({ suppression, alerts: count }) =>
      h(
        "p",
        {},
        ...suppressionText(suppression),
        byRule.size > 1 ? ` (${countText(count)} ${count === 1 ? "alert" : "alerts"})` : "",
      ),
    ),
  );
}
