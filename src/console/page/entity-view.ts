import { type EntityKind, entity, type Peer, type Risk } from "./api.ts";
import { countText, h, nameElement, shownName, timeElement } from "./dom.ts";
import { stateText } from "./incident-row.ts";

const PEERS_MAX = 50;

/** What stands at the other end of a link, in words. */
const TITLES: Readonly<Record<string, readonly [from: string, to: string]>> = {
  "user-sourceHost": ["Hosts it comes from", "Accounts that come from it"],
  "user-targetHost": ["Hosts it logs on to", "Accounts that log on to it"],
  "sourceHost-targetHost": ["Hosts it reaches", "Hosts that reach it"],
  "user-authType": ["Protocols", "Accounts"],
  "user-logonType": ["Logon types", "Accounts"],
  "sourceHost-authType": ["Protocols used from it", "Hosts"],
  "sourceHost-logonType": ["Logon types used from it", "Hosts"],
  "targetHost-authType": ["Protocols used on it", "Hosts"],
  "targetHost-logonType": ["Logon types used on it", "Hosts"],
};

/** What the graph knows of an account or a host; without a name the form alone. */
export async function entityView(
  asked: { readonly kind: EntityKind; readonly name: string } | undefined,
  onEntity: (kind: EntityKind, name: string) => void,
): Promise<HTMLElement> {
  const found = asked && (await entity(asked.kind, asked.name, PEERS_MAX));
  const answer =
    asked === undefined
      ? []
      : found === undefined
        ? [
            h(
              "p",
              { role: "status" },
              `The graph knows no ${asked.kind === "user" ? "account" : "host"} `,
              nameElement(asked.name),
              " now. Names are written as the graph has them, such as ann@corp, in the letters of the source.",
            ),
          ]
        : [
            h(
              "p",
              {},
              "First seen ",
              timeElement(found.firstSeenMs),
              ", last seen ",
              timeElement(found.lastSeenMs),
              ".",
            ),
            riskSection(found.risk),
            ...found.links.map(({ link, end, peerKind, peers, total }) =>
              peerTable(titleOf(link, end), peerKind, peers, total, onEntity),
            ),
          ];
  return h(
    "section",
    { "aria-labelledby": "entity-title" },
    h("h2", { id: "entity-title", tabindex: -1 }, asked ? nameElement(asked.name) : "Accounts and hosts"),
    form(asked, onEntity),
    ...answer,
  );
}

/** How risky it is, and by which incidents. */
function riskSection(risk: Risk | null): HTMLElement {
  if (risk === null) return h("p", {}, "It takes part in no incident of the window.");
  const { riskScore, riskLevel, incidentAlerts, incidentCount, incidents } = risk;
  const headings = ["Incident", "Alerts", "First (UTC)", "Last (UTC)", "State"];
  return h(
    "section",
    { "aria-labelledby": "risk-title" },
    h("h3", { id: "risk-title" }, "Risk"),
    h(
      "p",
      {},
      h("strong", { class: `severity ${riskLevel.toLowerCase()}` }, `${riskLevel}, ${riskScore} of 100`),
      ` by ${counted(incidentCount, "incident")} with ${counted(incidentAlerts, "alert")}; each counts for half after a week, and for nothing if it was benign.`,
    ),
    scrolled(
      "Incidents that it takes part in",
      h("caption", {}, "Incidents that it takes part in"),
      h("thead", {}, h("tr", {}, ...headings.map((text) => h("th", { scope: "col" }, text)))),
      h(
        "tbody",
        {},
        ...incidents.map((incident) =>
          h(
            "tr",
            {},
            h(
              "th",
              { scope: "row" },
              h("a", { href: `#/incident/${incident.uid}` }, incident.uid.slice(0, 8)),
            ),
            h("td", { class: "number" }, countText(incident.alerts)),
            h("td", {}, timeElement(incident.firstMs)),
            h("td", {}, timeElement(incident.lastMs)),
            h("td", {}, stateText(incident)),
          ),
        ),
      ),
    ),
  );
}

/** A table that is wider than a narrow screen moves by itself, by keyboard too. */
function scrolled(label: string, ...parts: readonly HTMLElement[]): HTMLElement {
  return h(
    "div",
    { class: "scrolled", role: "region", "aria-label": label, tabindex: 0 },
    h("table", {}, ...parts),
  );
}

function counted(count: number, what: string): string {
  return `${countText(count)} ${what}${count === 1 ? "" : "s"}`;
}

function titleOf(link: string, end: "from" | "to"): string {
  const [from, to] = TITLES[link] ?? [link, link];
  return end === "from" ? from : to;
}

function form(
  asked: { readonly kind: EntityKind; readonly name: string } | undefined,
  onEntity: (kind: EntityKind, name: string) => void,
): HTMLElement {
  const kind = h(
    "select",
    { id: "entity-kind" },
    h("option", { value: "user", selected: asked?.kind !== "host" }, "account"),
    h("option", { value: "host", selected: asked?.kind === "host" }, "host"),
  );
  const name = h("input", {
    id: "entity-name",
    type: "text",
    required: true,
    maxlength: 256,
    autocomplete: "off",
    spellcheck: "false",
    value: asked?.name ?? "",
  });
  return h(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        onEntity(kind.value as EntityKind, name.value);
      },
    },
    h("label", { for: "entity-kind" }, "Kind"),
    kind,
    h("label", { for: "entity-name" }, "Name"),
    name,
    h("button", {}, "Look up"),
  );
}

function peerTable(
  title: string,
  kind: EntityKind | "value",
  peers: readonly Peer[],
  total: number,
  onEntity: (kind: EntityKind, name: string) => void,
): HTMLElement {
  const shown = total > peers.length ? `${title} (${peers.length} of ${countText(total)})` : title;
  const headings = ["Name", "Logins", "Failed", "Strong", "Weak", "Alerts", "First seen", "Last seen"];
  return scrolled(
    shown,
    h("caption", {}, shown),
    h("thead", {}, h("tr", {}, ...headings.map((text) => h("th", { scope: "col" }, text)))),
    h(
      "tbody",
      {},
      ...peers.map((peer) =>
        h(
          "tr",
          {},
          h(
            "th",
            { scope: "row" },
            kind === "value"
              ? shownName(peer.name)
              : h(
                  "button",
                  { type: "button", class: "link", onclick: () => onEntity(kind, peer.name) },
                  nameElement(peer.name),
                ),
          ),
          ...[peer.logins, peer.failures, peer.strongEvidence, peer.weakEvidence, peer.alerts].map((count) =>
            h("td", { class: "number" }, countText(count)),
          ),
          h("td", {}, timeElement(peer.firstSeenMs)),
          h("td", {}, timeElement(peer.lastSeenMs)),
        ),
      ),
    ),
  );
}
