import { countText, h, nameElement } from "./dom.ts";
import type { EmbeddingMap, MapPoint } from "./model-api.ts";

/** Names that stand for a cluster, and points with alerts that are listed. */
const MEMBERS_TOLD = 4;
const ALERTED_MAX = 20;
const CLOSEST_TOLD = 3;

type OnOpen = (point: MapPoint) => void;

/** Each cluster with who is in it; it is the legend of the map too, and picks one of them out. */
export function clusterTable(
  { points, clusters }: EmbeddingMap,
  onPick: (cluster: number | undefined) => void,
  onOpen: OnOpen,
): HTMLElement {
  const buttons: HTMLElement[] = [];
  const pick = (cluster: number): void => {
    const isPicked = buttons[cluster]!.getAttribute("aria-pressed") === "true";
    for (const [i, button] of buttons.entries())
      button.setAttribute("aria-pressed", String(i === cluster && !isPicked));
    onPick(isPicked ? undefined : cluster);
  };
  const rows = Array.from({ length: clusters }, (_, cluster) => {
    const members = points.filter((point) => point.cluster === cluster);
    const users = members.filter(({ kind }) => kind === "user").length;
    const alerted = members.filter(({ alerts }) => alerts > 0).length;
    const most = members.toSorted((a, b) => b.logins - a.logins).slice(0, MEMBERS_TOLD);
    const button = h(
      "button",
      {
        type: "button",
        class: `choice swatch c${cluster}`,
        "aria-pressed": "false",
        onclick: () => pick(cluster),
      },
      `Cluster ${cluster + 1}`,
    );
    buttons.push(button);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, button),
      ...[users, members.length - users, alerted].map((count) =>
        h("td", { class: "number" }, countText(count)),
      ),
      h("td", { class: "members" }, ...most.flatMap((point) => [nameButton(point, onOpen), " "])),
    );
  });
  return h(
    "table",
    { class: "clusters" },
    h("caption", {}, "Clusters: press one to pick it out"),
    head(["Cluster", "Accounts", "Hosts", "With alerts", "Most frequent"], [1, 2, 3]),
    h("tbody", {}, ...rows),
  );
}

/** Those of the map that have alerts, the most first; undefined if there are none. */
export function alertedTable({ points }: EmbeddingMap, onOpen: OnOpen): HTMLElement | undefined {
  const alerted = points.filter(({ alerts }) => alerts > 0).toSorted((a, b) => b.alerts - a.alerts);
  if (alerted.length === 0) return undefined;
  const told = alerted.slice(0, ALERTED_MAX);
  const more = alerted.length > told.length ? ` (${told.length} of ${countText(alerted.length)})` : "";
  return h(
    "table",
    {},
    h("caption", {}, `With alerts${more}`),
    head(["Name", "Kind", "Cluster", "Alerts", "Logins"], [2, 3, 4]),
    h(
      "tbody",
      {},
      ...told.map((point) =>
        h("tr", {}, h("th", { scope: "row" }, nameButton(point, onOpen)), ...cellsOf(point)),
      ),
    ),
  );
}

/** All that the picture shows, made when it is opened: places are told by who is closest. */
export function pointDetails({ points }: EmbeddingMap, onOpen: OnOpen): HTMLElement {
  const details = h(
    "details",
    {
      ontoggle: () => {
        if (details.open && details.querySelector("table") === null)
          details.append(pointTable(points, onOpen));
      },
    },
    h("summary", {}, `All ${countText(points.length)} points as a table`),
  );
  return details;
}

function pointTable(points: readonly MapPoint[], onOpen: OnOpen): HTMLElement {
  return h(
    "table",
    {},
    h("caption", {}, "Accounts and hosts of the map, those with alerts first"),
    head(["Name", "Kind", "Cluster", "Alerts", "Logins", "Closest on the map"], [2, 3, 4]),
    h(
      "tbody",
      {},
      ...points
        .toSorted((a, b) => b.alerts - a.alerts || b.logins - a.logins)
        .map((point) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, nameButton(point, onOpen)),
            ...cellsOf(point),
            h(
              "td",
              { class: "members" },
              ...closestTo(point, points).flatMap(({ name }) => [nameElement(name), " "]),
            ),
          ),
        ),
    ),
  );
}

function closestTo(point: MapPoint, points: readonly MapPoint[]): MapPoint[] {
  const closest: { readonly one: MapPoint; readonly distance: number }[] = [];
  for (const one of points) {
    const distance = Math.hypot(one.x - point.x, one.y - point.y);
    if (one === point || distance >= (closest[CLOSEST_TOLD - 1]?.distance ?? Number.POSITIVE_INFINITY))
      continue;
    const place = closest.findIndex((other) => other.distance > distance);
    closest.splice(place < 0 ? closest.length : place, 0, { one, distance });
    closest.length = Math.min(closest.length, CLOSEST_TOLD);
  }
  return closest.map(({ one }) => one);
}

function cellsOf({ kind, cluster, alerts, logins }: MapPoint): HTMLElement[] {
  return [
    h("td", {}, kind === "user" ? "account" : "host"),
    ...[cluster + 1, alerts, logins].map((count) => h("td", { class: "number" }, countText(count))),
  ];
}

function nameButton(point: MapPoint, onOpen: OnOpen): HTMLElement {
  return h(
    "button",
    { type: "button", class: "link", onclick: () => onOpen(point) },
    nameElement(point.name),
  );
}

function head(headings: readonly string[], numbers: readonly number[]): HTMLElement {
  return h(
    "thead",
    {},
    h(
      "tr",
      {},
      ...headings.map((text, i) =>
        h("th", { scope: "col", class: numbers.includes(i) ? "number" : undefined }, text),
      ),
    ),
  );
}
