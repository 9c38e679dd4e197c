import {
  forceCenter,
  forceCollide,
  forceLink,
  forceManyBody,
  forceSimulation,
  type SimulationLinkDatum,
  type SimulationNodeDatum,
} from "d3-force";
import { type EntityKind, entity, type Finding } from "./api.ts";
import { h, shownName, svg } from "./dom.ts";
import { PanZoom } from "./pan-zoom.ts";

/** What can be told apart on a screen; further neighbours are in the table of the entity. */
const NODES_MAX = 80;
const NEIGHBOURS_MAX = 8;
const WIDTH = 760;
const HEIGHT = 460;
const RADIUS = 9;
const TICKS = 220;
const ZOOM_MAX = 6;
/** A small graph is not blown up beyond that. */
const FITTED_ZOOM_MAX = 1.5;
const LABEL_CHARS = 22;

type GraphNode = SimulationNodeDatum & {
  readonly key: string;
  readonly kind: EntityKind;
  readonly name: string;
  readonly isOfAlert: boolean;
  isExpanded: boolean;
};
type GraphLink = SimulationLinkDatum<GraphNode> & {
  readonly from: GraphNode;
  readonly to: GraphNode;
  readonly isOdd: boolean;
  readonly logins: number;
};

/**
 * The graph of who logs in where around the alerts of an incident: accounts and hosts of the alerts, joined by odd links, and whom these usually go
 * with. Drawn once for all; a node can be expanded by a click, or by Enter. Everything in it is said in words too, in a list for who does not look.
 */
export class LoginGraph {
  readonly element: HTMLElement;
  readonly #nodes = new Map<string, GraphNode>();
  readonly #links = new Map<string, GraphLink>();
  readonly #stage = svg("g");
  readonly #picture: SVGSVGElement;
  readonly #words = h("ul");
  readonly #note = h("p", { class: "quiet", role: "status" });
  readonly #view: PanZoom;
  readonly #onEntity: (kind: EntityKind, name: string) => void;
  #expanding = 0;

  constructor(onEntity: (kind: EntityKind, name: string) => void) {
    this.#onEntity = onEntity;
    this.#picture = svg(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        class: "login-graph",
        role: "group",
        "aria-label": "Login graph of this incident",
      },
      this.#stage,
    );
    this.#view = new PanZoom({
      picture: this.#picture,
      stage: this.#stage,
      width: WIDTH,
      height: HEIGHT,
      zoomMax: ZOOM_MAX,
      untouched: ".node",
    });
    this.element = h(
      "section",
      { class: "graph", "aria-labelledby": "graph-title", "aria-busy": "true" },
      h("h3", { id: "graph-title" }, "Login graph"),
      h(
        "p",
        { class: "legend" },
        h("span", { class: "key user" }, "account"),
        h("span", { class: "key host" }, "host"),
        h("span", { class: "key odd" }, "odd link"),
        h("span", { class: "key known" }, "usual link, thicker with more logins"),
      ),
      h(
        "p",
        { class: "tools" },
        h("button", { type: "button", onclick: () => this.#view.zoomIn() }, "Zoom in"),
        h("button", { type: "button", onclick: () => this.#view.zoomOut() }, "Zoom out"),
        h("button", { type: "button", onclick: () => this.#reset() }, "Whole graph"),
      ),
      this.#picture,
      this.#note,
      h("details", {}, h("summary", {}, "The same in words"), this.#words),
    );
  }

  /** The entities of the alerts, and whom each of them usually goes with. */
  async show(alerts: readonly Finding[]): Promise<void> {
    for (const { evidences } of alerts) {
      const [{ actor, src_endpoint: source, dst_endpoint: target }] = evidences;
      const user = actor && this.#node("user", actor.user.name, true);
      const from = source && this.#node("host", source.name, true);
      const to = target && this.#node("host", target.name, true);
      if (user && from) this.#link(user, from, true, 1);
      if (from && to && from !== to) this.#link(from, to, true, 1);
      if (user && to && !from) this.#link(user, to, true, 1);
    }
    await this.#expandAll([...this.#nodes.values()]);
  }

  /** Draws what is there, and then what each of them brings; busy meanwhile, for who waits or listens. */
  async #expandAll(nodes: readonly GraphNode[]): Promise<void> {
    this.#expanding++;
    this.element.setAttribute("aria-busy", "true");
    this.#draw();
    for (const node of nodes) await this.#expand(node);
    this.#draw();
    if (--this.#expanding === 0) this.element.setAttribute("aria-busy", "false");
  }

  #node(kind: EntityKind, name: string, isOfAlert: boolean): GraphNode | undefined {
    const key = `${kind}/${name}`;
    const known = this.#nodes.get(key);
    if (known !== undefined || this.#nodes.size >= NODES_MAX) return known;
    const node = { key, kind, name, isOfAlert, isExpanded: false };
    this.#nodes.set(key, node);
    return node;
  }

  #link(from: GraphNode, to: GraphNode, isOdd: boolean, logins: number): void {
    const [a, b] = [from.key, to.key].toSorted();
    const key = `${a} ${b}`;
    if (this.#links.has(key)) return;
    this.#links.set(key, { source: from, target: to, from, to, isOdd, logins });
  }

  async #expand(node: GraphNode): Promise<void> {
    if (node.isExpanded) return;
    node.isExpanded = true;
    const found = await entity(node.kind, node.name, NEIGHBOURS_MAX).catch(() => undefined);
    let leftOut = 0;
    for (const { peerKind, peers, total } of found?.links ?? []) {
      if (peerKind === "value") continue;
      for (const { name, logins, alerts } of peers) {
        const peer = this.#node(peerKind, name, false);
        if (peer === undefined) leftOut++;
        else if (peer !== node) this.#link(node, peer, alerts > 0, logins);
      }
      leftOut += Math.max(0, total - peers.length);
    }
    this.#note.textContent =
      leftOut > 0 ? `Not all neighbours of ${shownName(node.name)} are drawn: ${leftOut} more.` : "";
  }

  #draw(): void {
    const nodes = [...this.#nodes.values()];
    const links = [...this.#links.values()];
    const simulation = forceSimulation(nodes)
      .force("link", forceLink<GraphNode, GraphLink>(links).distance(70))
      .force("charge", forceManyBody().strength(-220))
      .force("collide", forceCollide(26))
      .force("center", forceCenter(WIDTH / 2, HEIGHT / 2))
      .stop();
    simulation.tick(TICKS);
    const focused = document.activeElement?.getAttribute("data-key");
    this.#stage.replaceChildren(
      ...links.map((link) => this.#drawnLink(link)),
      ...nodes.map((node) => this.#drawnNode(node)),
    );
    this.#words.replaceChildren(
      ...links.map(({ from, to, isOdd, logins }) =>
        h(
          "li",
          {},
          `${shownName(from.name)} and ${shownName(to.name)}: ${isOdd ? "odd" : `usual, ${logins} logins`}`,
        ),
      ),
    );
    this.#fit(nodes);
    // Who works by keyboard stays where he is.
    for (const child of this.#stage.children)
      if (focused && child.getAttribute("data-key") === focused) (child as SVGElement).focus();
  }

  #drawnLink({ from, to, isOdd, logins }: GraphLink): SVGElement {
    return svg("line", {
      x1: from.x ?? 0,
      y1: from.y ?? 0,
      x2: to.x ?? 0,
      y2: to.y ?? 0,
      class: isOdd ? "link odd" : "link",
      "stroke-width": isOdd ? 2.5 : 1 + Math.min(3, Math.log10(1 + logins)),
    });
  }

  #drawnNode(node: GraphNode): SVGElement {
    const { kind, name, x = 0, y = 0, isOfAlert } = node;
    const label = shownName(name);
    const choose = (): void => void this.#expandAll([node]);
    const shape =
      kind === "user"
        ? svg("circle", { r: RADIUS })
        : svg("rect", {
            x: -RADIUS,
            y: -RADIUS,
            width: 2 * RADIUS,
            height: 2 * RADIUS,
            rx: 2,
          });
    return svg(
      "g",
      {
        class: `node ${kind}${isOfAlert ? " of-alert" : ""}`,
        transform: `translate(${x},${y})`,
        tabindex: 0,
        "data-key": node.key,
        role: "button",
        "aria-label": `${kind === "user" ? "account" : "host"} ${label}: Enter shows its neighbours, E its page`,
        onclick: choose,
        ondblclick: () => this.#onEntity(kind, name),
        onkeydown: (event) => {
          const { key } = event as KeyboardEvent;
          if (key === "Enter" || key === " ") choose();
          else if (key === "e" || key === "E") this.#onEntity(kind, name);
          else return;
          event.preventDefault();
        },
      },
      svg("title", {}, `${label}: click for its neighbours, double click for its page`),
      shape,
      svg(
        "text",
        { x: RADIUS + 4, y: 4 },
        label.length > LABEL_CHARS ? `${label.slice(0, LABEL_CHARS - 1)}…` : label,
      ),
    );
  }

  /** All nodes, with room for their labels. */
  #fit(nodes: readonly GraphNode[]): void {
    if (nodes.length === 0) return;
    const xs = nodes.map(({ x = 0 }) => x);
    const ys = nodes.map(({ y = 0 }) => y);
    const [left, right] = [Math.min(...xs) - 30, Math.max(...xs) + 150];
    const [top, bottom] = [Math.min(...ys) - 30, Math.max(...ys) + 30];
    this.#view.fit({ left, right, top, bottom }, FITTED_ZOOM_MAX);
  }

  #reset(): void {
    this.#fit([...this.#nodes.values()]);
  }
}
