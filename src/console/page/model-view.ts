import type { EntityKind } from "./api.ts";
import { countText, h, timeElement, timeText } from "./dom.ts";
import { embeddingMapSection } from "./embedding-map-section.ts";
import { epochDetails, STATES } from "./epoch-details.ts";
import { type Epoch, type Model, model } from "./model-api.ts";

const POLL_MS = 5000;

/** The model: its epochs, how each was trained and judged, and a map of what the one in force knows. `signal` ends what goes on. */
export async function modelView(
  signal: AbortSignal,
  onEntity: (kind: EntityKind, name: string) => void,
): Promise<HTMLElement> {
  const news = h("p", { role: "status" });
  const content = h("div");
  const section = h(
    "section",
    { "aria-labelledby": "model-title" },
    h("h2", { id: "model-title", tabindex: -1 }, "Model"),
    news,
    content,
  );
  let mapOf = new AbortController();
  signal.addEventListener("abort", () => mapOf.abort());
  let shown = await model();
  // Who has gone on to another view meanwhile needs neither the map nor what is new.
  if (signal.aborted) return section;
  const fill = (now: Model): void => {
    shown = now;
    mapOf.abort();
    mapOf = new AbortController();
    news.replaceChildren();
    content.replaceChildren(...contentOf(now, mapOf.signal, onEntity));
  };
  // What somebody is looking at does not change under his eyes.
  const tell = (now: Model): void => {
    if (stateOf(now) === stateOf(shown) || news.hasChildNodes()) return;
    news.append(
      "The model has changed. ",
      h("button", { type: "button", onclick: () => void model().then(fill) }, "Show it as it is now"),
    );
  };
  fill(shown);
  const timer = setInterval(() => void model().then(tell, () => {}), POLL_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return section;
}

function stateOf({ epochs }: Model): string {
  return epochs.map(({ number, state }) => `${number} ${state}`).join();
}

function contentOf(
  { inForce, epochs }: Model,
  signal: AbortSignal,
  onEntity: (kind: EntityKind, name: string) => void,
): HTMLElement[] {
  const chosen = epochs.find(({ number }) => number === inForce) ?? epochs[0];
  if (chosen === undefined)
    return [
      h(
        "p",
        {},
        "No epoch has been trained yet. Until there is one, logins are scored without the link signal; when the first one comes is training.firstAfterHours in the configuration.",
      ),
    ];
  const details = h("div", {}, epochDetails(chosen, epochs));
  const show = (epoch: Epoch): void => details.replaceChildren(epochDetails(epoch, epochs));
  return [
    h("p", { class: "lead" }, leadOf(chosen)),
    h(
      "p",
      { class: "quiet" },
      "An epoch is one trained model. It says how likely a link between two accounts or hosts is; before it comes into force, the gate compares it with the one before.",
    ),
    epochTable(epochs, chosen, show),
    details,
    ...(inForce === null ? [] : [embeddingMapSection(signal, onEntity)]),
  ];
}

function leadOf({ number, state, training }: Epoch): string {
  if (state !== "inForce") return "No epoch is in force.";
  if (training === null) return `Epoch ${number} is in force.`;
  return `Epoch ${number} is in force. It was trained on ${countText(training.links)} links of ${countText(training.entities)} accounts and hosts, up to ${timeText(training.trainedAtMs)}.`;
}

const HEADINGS = [
  "Epoch",
  "State",
  "Trained up to",
  "Entities",
  "Links",
  "Parameters",
  "Seed",
  "Loss",
  "Held-out AUC",
  "Gate",
];
const FIRST_NUMBER = 3;

function epochTable(epochs: readonly Epoch[], chosen: Epoch, onChoose: (epoch: Epoch) => void): HTMLElement {
  const buttons = new Map<Epoch, HTMLElement>();
  const choose = (epoch: Epoch): void => {
    for (const [one, button] of buttons) button.setAttribute("aria-pressed", String(one === epoch));
    onChoose(epoch);
  };
  for (const epoch of epochs)
    buttons.set(
      epoch,
      h(
        "button",
        {
          type: "button",
          class: "choice",
          "aria-pressed": String(epoch === chosen),
          onclick: () => choose(epoch),
        },
        h("span", { class: "hidden" }, "Show epoch "),
        epoch.number,
      ),
    );
  return h(
    "div",
    { class: "scrolled", tabindex: 0, role: "region", "aria-label": "Epochs" },
    h(
      "table",
      { class: "epochs" },
      h("caption", {}, `Epochs that this process knows, the newest first`),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ...HEADINGS.map((text, i) =>
            h("th", { scope: "col", class: i >= FIRST_NUMBER ? "number" : undefined }, text),
          ),
        ),
      ),
      h("tbody", {}, ...epochs.map((epoch) => epochRow(epoch, buttons.get(epoch)!))),
    ),
  );
}

function epochRow({ state, training, gate }: Epoch, button: HTMLElement): HTMLElement {
  const number = (text: string | undefined): HTMLElement => h("td", { class: "number" }, text ?? "–");
  const count = (value: number | undefined): HTMLElement =>
    number(value === undefined ? undefined : countText(value));
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, button),
    h("td", {}, h("span", { class: `state ${state}` }, STATES[state])),
    h("td", {}, training === null ? "not stored" : timeElement(training.trainedAtMs)),
    count(training?.entities),
    count(training?.links),
    count(training?.parameters),
    number(training === null ? undefined : String(training.seed)),
    number(training?.losses.at(-1)?.loss.toFixed(3)),
    number(training?.heldOut.auc?.toFixed(3)),
    number(gateText(gate)),
  );
}

function gateText(gate: Epoch["gate"]): string {
  if (gate === null) return "off";
  const { difference, isAccepted } = gate;
  if (difference === null) return isAccepted ? "none" : "rejected";
  return `${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(3)}`;
}
