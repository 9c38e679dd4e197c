import { ApiError, type EntityKind, setToken } from "./api.ts";
import { h } from "./dom.ts";
import { entityView } from "./entity-view.ts";
import { healthView } from "./health-view.ts";
import { IncidentList } from "./incident-list.ts";
import { incidentView } from "./incident-view.ts";
import { modelView } from "./model-view.ts";

/** The page: which view is shown follows the address, but for names of accounts and hosts, which stay out of it. */

const main = document.querySelector("main")!;
const list = new IncidentList();
let leaving = new AbortController();

const TITLES: Readonly<Record<string, string>> = {
  incident: "Incident",
  entity: "Accounts and hosts",
  model: "Model",
  health: "Health",
};

/** Names are kept with the entry of the history: going back finds them, and no address, log or bookmark has them. */
type State = { readonly kind: EntityKind; readonly name: string };

function openEntity(kind: EntityKind, name: string): void {
  history.pushState({ kind, name } satisfies State, "", "#/entity");
  void show();
}

async function viewOf(address: string, signal: AbortSignal): Promise<HTMLElement> {
  const [, view, uid] = address.split("/");
  if (view === "incident" && uid !== undefined)
    return incidentView(decodeURIComponent(uid), openEntity, (...answer) => list.answered(...answer));
  if (view === "entity") return entityView((history.state as State | null) ?? undefined, openEntity);
  if (view === "model") return modelView(signal, openEntity);
  if (view === "health") return healthView(signal);
  return list.element;
}

async function show(): Promise<void> {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const address = location.hash || "#/incidents";
  for (const link of document.querySelectorAll("nav a")) {
    const isHere = address.startsWith(link.getAttribute("href")!);
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const view = await viewOf(address, signal).catch((error: unknown) => failureView(error));
  if (signal.aborted) return;
  if (list.element.isConnected) list.leave();
  main.replaceChildren(view);
  // Who comes back to the list is where it was left.
  const hasFocus = view === list.element && list.comeBack();
  // Who works by keyboard, or listens, is where the new view begins.
  const title = view.querySelector<HTMLElement>("h2");
  if (!hasFocus) title?.focus();
  // Of no names: titles are kept with the history of a browser.
  document.title = `${TITLES[address.split("/")[1] ?? ""] ?? "Incidents"} · oddlink`;
}

function failureView(error: unknown): HTMLElement {
  const isRefused = error instanceof ApiError && error.status === 401;
  const message = error instanceof Error ? error.message : String(error);
  if (!isRefused)
    return h(
      "section",
      {},
      h("h2", { tabindex: -1 }, "That can't be shown"),
      h("p", { role: "alert" }, message),
      h("p", {}, h("button", { type: "button", onclick: () => void show() }, "Try again")),
    );
  const token = h("input", { id: "token", type: "password", required: true, autocomplete: "off" });
  return h(
    "section",
    {},
    h("h2", { tabindex: -1 }, "A token is needed"),
    h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          setToken(token.value);
          location.reload();
        },
      },
      h("label", { for: "token" }, "Token (http.token of the configuration), kept for this tab"),
      token,
      h("button", {}, "Go on"),
    ),
  );
}

// Links within the page make one too.
addEventListener("popstate", () => void show());
await list.start().catch((error: unknown) => {
  main.replaceChildren(failureView(error));
  throw error;
});
await show();
