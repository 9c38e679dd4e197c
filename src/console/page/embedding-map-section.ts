import type { EntityKind } from "./api.ts";
import { countText, h } from "./dom.ts";
import { type Colouring, EmbeddingMapPicture } from "./embedding-map-picture.ts";
import { alertedTable, clusterTable, pointDetails } from "./embedding-map-tables.ts";
import { type EmbeddingMap, embeddingMap, type MapPoint } from "./model-api.ts";

const COLOURINGS: readonly (readonly [Colouring, string])[] = [
  ["cluster", "cluster"],
  ["alerts", "alerts"],
];

/** The map of the epoch in force, with what it means; it comes when it is computed, and `signal` ends the waiting. */
export function embeddingMapSection(
  signal: AbortSignal,
  onEntity: (kind: EntityKind, name: string) => void,
): HTMLElement {
  const content = h("div");
  const section = h(
    "section",
    { class: "map", "aria-labelledby": "map-title", "aria-busy": "true" },
    h("h3", { id: "map-title" }, "Map of accounts and hosts"),
    content,
  );
  const load = async (): Promise<void> => {
    const bar = h("progress", { max: 1, value: 0, "aria-label": "The map" });
    section.setAttribute("aria-busy", "true");
    content.replaceChildren(
      h("p", { role: "status" }, "The map is being laid out; that takes some seconds for each epoch. "),
      bar,
    );
    try {
      const map = await embeddingMap((share) => {
        bar.value = share;
      }, signal);
      if (signal.aborted) return;
      content.replaceChildren(
        ...(map === undefined
          ? [h("p", {}, "No epoch is in force: there is nothing to draw.")]
          : contentOf(map, ({ kind, name }) => onEntity(kind, name))),
      );
    } catch (error) {
      content.replaceChildren(
        h("p", { role: "alert" }, (error as Error).message),
        h("p", {}, h("button", { type: "button", onclick: () => void load() }, "Try again")),
      );
    }
    section.setAttribute("aria-busy", "false");
  };
  void load();
  return section;
}

function contentOf(map: EmbeddingMap, onOpen: (point: MapPoint) => void): HTMLElement[] {
  const { points, entities, epoch } = map;
  if (points.length === 0) return [h("p", {}, "The epoch knows no account and no host.")];
  const picture = new EmbeddingMapPicture(map, onOpen);
  const sampled =
    points.length < entities
      ? `${countText(points.length)} of ${countText(entities)} are drawn: those with alerts, then the most frequent.`
      : `All ${countText(points.length)} are drawn.`;
  const alerted = alertedTable(map, onOpen);
  return [
    h(
      "p",
      { class: "quiet" },
      `Who is close is alike to epoch ${epoch.number}: it expects them to log in alike. How far apart others are, and where they are, says nothing. Who came after it was trained is not here. ${sampled}`,
    ),
    h("div", { class: "tools" }, colourChoice(picture), ...picture.tools),
    picture.element,
    legend(),
    clusterTable(map, (cluster) => picture.pickOut(cluster), onOpen),
    ...(alerted === undefined ? [h("p", {}, "Nobody on the map has alerts.")] : [alerted]),
    pointDetails(map, onOpen),
  ];
}

function colourChoice(picture: EmbeddingMapPicture): HTMLElement {
  return h(
    "fieldset",
    { class: "colouring" },
    h("legend", {}, "Colour by"),
    ...COLOURINGS.map(([value, text], i) =>
      h(
        "label",
        {},
        h("input", {
          type: "radio",
          name: "colouring",
          value,
          checked: i === 0,
          onchange: () => picture.colourBy(value),
        }),
        ` ${text}`,
      ),
    ),
  );
}

function legend(): HTMLElement {
  return h(
    "p",
    { class: "legend" },
    h("span", { class: "map-key user" }, "account"),
    h("span", { class: "map-key host" }, "host"),
    h("span", { class: "map-key a1" }, "1 alert"),
    h("span", { class: "map-key a2" }, "2 to 9"),
    h("span", { class: "map-key a3" }, "10 and more"),
  );
}
