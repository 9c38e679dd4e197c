import { countText, h, timeElement } from "./dom.ts";
import { driftResults } from "./drift-results.ts";
import { gateResults } from "./gate-results.ts";
import { lossChart } from "./loss-chart.ts";
import type { Epoch, EpochState, Training } from "./model-api.ts";

export const STATES: Readonly<Record<EpochState, string>> = {
  inForce: "in force",
  shadow: "in the shadow",
  replaced: "replaced",
  rejected: "rejected",
  rolledBack: "taken back",
};

const MEANINGS: Readonly<Record<EpochState, string>> = {
  inForce: "It scores every login now.",
  shadow: "It scores beside the one in force, and raises no alerts.",
  replaced: "A later epoch came in its place.",
  rejected: "The gate did not let it come into force.",
  rolledBack: "It was taken back, as it would have brought too many alerts.",
};

/** When it came into force, where no time is known. */
const UNKNOWN_ADOPTION: Readonly<Record<EpochState, string>> = {
  inForce: "before this process began",
  shadow: "not yet",
  replaced: "before this process began, or never",
  rejected: "never",
  rolledBack: "before this process began",
};

/** How one epoch was trained, what the gate found, and what became of it. @param epochs all that are known */
export function epochDetails(epoch: Epoch, epochs: readonly Epoch[]): HTMLElement {
  const { number, state, training, rolledBack, gate } = epoch;
  return h(
    "section",
    { class: "epoch", "aria-labelledby": "epoch-title" },
    h("h3", { id: "epoch-title" }, `Epoch ${number}, ${STATES[state]}`),
    h(
      "p",
      {},
      MEANINGS[state],
      rolledBack !== null &&
        ` It is what epoch ${rolledBack.to} was, and came in the place of epoch ${rolledBack.from}: ${rolledBack.reason}.`,
    ),
    training === null
      ? h(
          "p",
          { class: "quiet" },
          "Of an epoch that was rejected elsewhere, or before this process began, the verdict of the gate alone is stored.",
        )
      : facts(epoch, training, epochs),
    h(
      "div",
      { class: "columns" },
      h(
        "div",
        {},
        ...(training === null ? [] : [h("h4", {}, "Losses"), lossChart(training)]),
        driftResults(number, gate),
      ),
      gateResults(number, gate),
    ),
  );
}

function facts(
  { digest, state, adoptedAtMs }: Epoch,
  training: Training,
  epochs: readonly Epoch[],
): HTMLElement {
  const { startedFrom, heldOut } = training;
  const before = epochs.find((one) => one.digest === startedFrom);
  const rows: readonly (readonly [string, string | HTMLElement])[] = [
    ["Digest", digest],
    ["Newest login it has seen", timeElement(training.trainedAtMs)],
    ["Came into force", adoptedAtMs === null ? UNKNOWN_ADOPTION[state] : timeElement(adoptedAtMs)],
    [
      "Began from",
      startedFrom === null ? "nothing" : before === undefined ? startedFrom : `epoch ${before.number}`,
    ],
    [
      "Trained on",
      `${countText(training.links)} links of ${countText(training.entities)} accounts and hosts`,
    ],
    [
      "Model",
      `RGCN, ${training.dimensions} dimensions, ${training.decoder}, ${countText(training.relations)} relations${training.weights === "basis" ? `, ${training.bases} bases` : ""}`,
    ],
    ["Parameters", countText(training.parameters)],
    [
      "Training",
      `seed ${training.seed}, rate ${training.learningRate}, L2 ${training.l2}, dropout ${training.dropout}, by ${training.backend}`,
    ],
    [
      "Held-out AUC",
      heldOut.auc === null
        ? "nothing was held out"
        : `${heldOut.auc.toFixed(3)} on ${countText(heldOut.links)} links`,
    ],
  ];
  return h(
    "dl",
    { class: "facts" },
    ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}
