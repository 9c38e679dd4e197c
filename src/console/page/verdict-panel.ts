import { answer, type IncidentDetail, type Verdict, type VerdictKind } from "./api.ts";
import { h, nameElement, shownName, timeElement } from "./dom.ts";

/** Who answers is asked once for each tab. */
const NAME_KEY = "oddlink analyst";
const UNTIL_DAYS = 30;
const MS_PER_DAY = 86_400_000;

type Choice = { readonly kind: VerdictKind; readonly label: string; readonly effect: string };

const CHOICES: readonly Choice[] = [
  {
    kind: "true-positive",
    label: "True positive",
    effect: "It was an attack. Its links never become familiar, are never trained on, and alert each time.",
  },
  {
    kind: "benign",
    label: "Benign",
    effect:
      "It happened, and is in order. Such alerts are suppressed until the day named, and its links are trained on.",
  },
  {
    kind: "false-positive",
    label: "False positive",
    effect:
      "There was nothing odd in it. Such alerts are suppressed until the day named, and its links are trained on.",
  },
];
const WITHDRAWAL: Choice = {
  kind: "withdrawn",
  label: "Withdraw the verdict",
  effect: "As if nobody had answered.",
};

/** What was answered to an incident, and the form to answer it. */
export function verdictPanel(
  uid: string,
  { verdicts: given, answerIsAbout }: Pick<IncidentDetail, "verdicts" | "answerIsAbout">,
  onAnswered: (uid: string, verdict: VerdictKind) => void,
): HTMLElement {
  const panel = h("section", { class: "verdict-panel", "aria-labelledby": "verdict-title" });
  const fill = (verdicts: readonly Verdict[], note: string): void => {
    const status = h("p", { role: "status", tabindex: -1 }, note);
    const last = verdicts.at(-1);
    panel.replaceChildren(
      h("h3", { id: "verdict-title" }, "Verdict"),
      last === undefined ? h("p", {}, "Nobody has answered yet.") : verdictLine(last),
      form(uid, last, answerIsAbout, status, (verdict) => {
        onAnswered(uid, verdict.verdict);
        fill([...verdicts, verdict], "Saved. It is in force in all processes within a moment.");
        panel.querySelector<HTMLElement>("[role=status]")?.focus();
      }),
      status,
      ...(verdicts.length > 1 ? [history(verdicts)] : []),
    );
  };
  fill(given, "");
  return panel;
}

function history(verdicts: readonly Verdict[]): HTMLElement {
  return h(
    "details",
    {},
    h("summary", {}, `What was answered before (${verdicts.length - 1})`),
    h("ol", {}, ...verdicts.slice(0, -1).map((verdict) => h("li", {}, verdictLine(verdict)))),
  );
}

function verdictLine({ verdict, by, until, reason, madeAtMs }: Verdict): HTMLElement {
  const label = [...CHOICES, WITHDRAWAL].find(({ kind }) => kind === verdict)!.label;
  return h(
    "p",
    {},
    h("strong", { class: `answer ${verdict}` }, verdict === "withdrawn" ? "Withdrawn" : label),
    " by ",
    h("bdi", {}, shownName(by)),
    ", ",
    timeElement(madeAtMs),
    until === undefined ? "" : `, until ${until}`,
    ...(reason === undefined ? [] : [": ", h("bdi", {}, shownName(reason))]),
  );
}

function form(
  uid: string,
  last: Verdict | undefined,
  about: IncidentDetail["answerIsAbout"],
  status: HTMLElement,
  onSaved: (verdict: Verdict) => void,
): HTMLElement {
  const choices = last === undefined || last.verdict === "withdrawn" ? CHOICES : [...CHOICES, WITHDRAWAL];
  const effect = h("p", { class: "quiet", id: "verdict-effect" });
  const until = h("input", { id: "verdict-until", type: "date", value: inDays(UNTIL_DAYS), min: inDays(0) });
  const anyTarget = h("input", { id: "verdict-any-target", type: "checkbox" });
  const suppressing = h(
    "div",
    { class: "fields" },
    h("label", { for: "verdict-until" }, "Until"),
    until,
    h("label", { for: "verdict-any-target" }, "On any host"),
    h("span", {}, anyTarget, " and not only those that these alerts name"),
  );
  const by = h("input", {
    id: "verdict-by",
    type: "text",
    required: true,
    maxlength: 200,
    autocomplete: "off",
    value: sessionStorage.getItem(NAME_KEY) ?? "",
  });
  const reason = h("input", { id: "verdict-reason", type: "text", maxlength: 1000, autocomplete: "off" });
  const button = h("button", { disabled: true }, "Save verdict");
  let chosen: Choice | undefined;
  const isSuppressing = (): boolean => chosen?.kind === "benign" || chosen?.kind === "false-positive";
  const choose = (choice: Choice): void => {
    chosen = choice;
    effect.textContent = choice.effect;
    button.disabled = false;
    suppressing.hidden = !isSuppressing();
    until.required = isSuppressing();
  };
  suppressing.hidden = true;
  const save = async (): Promise<void> => {
    button.disabled = true;
    status.textContent = "Saving …";
    sessionStorage.setItem(NAME_KEY, by.value);
    try {
      const saved = await answer(uid, {
        verdict: chosen!.kind,
        by: by.value,
        ...(reason.value.trim() !== "" && { reason: reason.value }),
        ...(isSuppressing() && { until: until.value, isAnyTarget: anyTarget.checked }),
      });
      onSaved(saved);
    } catch (error) {
      status.textContent = `Not saved: ${error instanceof Error ? error.message : String(error)}`;
      button.disabled = false;
    }
  };
  return h(
    "form",
    {
      onsubmit: (event) => {
        event.preventDefault();
        void save();
      },
    },
    h(
      "fieldset",
      { "aria-describedby": "verdict-effect" },
      h("legend", {}, last === undefined ? "Your answer" : "Answer again"),
      ...choices.map((choice) => {
        const id = `verdict-${choice.kind}`;
        const radio = h("input", {
          id,
          type: "radio",
          name: "verdict",
          required: true,
          onchange: () => choose(choice),
        });
        return h("span", { class: "choice" }, radio, h("label", { for: id }, choice.label));
      }),
    ),
    effect,
    aboutElement(about),
    suppressing,
    h(
      "div",
      { class: "fields" },
      h("label", { for: "verdict-by" }, "Your name"),
      by,
      h("label", { for: "verdict-reason" }, "Why (optional)"),
      reason,
    ),
    button,
  );
}

/** Whom an answer is about: each account on its own source host. */
function aboutElement(about: IncidentDetail["answerIsAbout"]): HTMLElement {
  const lines = about.map(({ user, sourceHost, targetHosts = [] }) =>
    h(
      "li",
      {},
      ...(user ? [nameElement(user)] : ["whoever it is"]),
      ...(sourceHost ? [" from ", nameElement(sourceHost)] : []),
      ...(targetHosts.length > 0 ? [" to "] : []),
      ...targetHosts.flatMap((host, i) => [i > 0 ? ", " : "", host === "" ? "no host" : nameElement(host)]),
    ),
  );
  return h("div", { class: "quiet" }, "The answer is about logins of:", h("ul", {}, ...lines));
}

/** A date of the calendar in UTC, as a field for dates has it. */
function inDays(days: number): string {
  return new Date(Date.now() + days * MS_PER_DAY).toISOString().slice(0, 10);
}
