import { BUDGET_SCORE_MAX } from "../alerts/budget.ts";
import { isFinding } from "../alerts/decision.ts";
import { riskScore, severityOf } from "../alerts/severity.ts";
import { SHADOW, SUPPRESSED, TOLD, type ToldStory, tell, touch } from "../alerts/story.ts";
import { incidentUid } from "../alerts/uid.ts";
import type { Graph } from "../graph-state/graph.ts";
import type { Story } from "../graph-state/stories.ts";
import { type LoginBytes, SOURCE_HOST, TARGET_HOST, USER } from "../ingest/login-bytes.ts";
import type { Scored, Scoring } from "./scoring.ts";

/**
 * Adds what became of the login scored last to the story that it belongs to, or begins one; a repetition of what was told keeps its story
 * open. Comes after `score` and before `add`.
 *
 * @param uidOf the uid of the login's alert
 * @param isShadow whether an epoch in the shadow would have raised it
 * @returns undefined if the login belongs to no story
 */
export function tellLogin(
  { graph, verdicts }: Pick<Scoring, "graph" | "verdicts">,
  { signal, alertScore, decision }: Scored,
  login: LoginBytes,
  partition: number,
  uidOf: () => string,
  isShadow = false,
): ToldStory | undefined {
  const { suppressedBy, repeatsSuppressed, isRepetition } = decision!;
  const isAlert = isFinding(decision!);
  if (!isAlert && !isRepetition) return undefined;
  const leg = decision!.leg ?? {
    user: login.text(USER),
    sourceHost: login.text(SOURCE_HOST),
    targetHost: login.text(TARGET_HOST),
  };
  const isQuiet = suppressedBy !== undefined || repeatsSuppressed === true;
  const channel = isShadow ? SHADOW : isQuiet ? SUPPRESSED : TOLD;
  const timeMs = Math.floor(login.timeMs);
  // What repeats an alert and is not odd by itself says nothing of whether the story goes on.
  if (!isAlert) return touch(graph, channel, leg, timeMs, partition, alertScore < BUDGET_SCORE_MAX);
  const severity = severityOf({ signal, score: alertScore }).id;
  const risk = riskScore(alertScore);
  const uid = incidentUid(uidOf());
  return tell(graph, { channel, leg, uid, timeMs, partition, risk, severity }, (story) =>
    verdicts.isExcused(story),
  );
}

/**
 * Closes the stories that nothing has come of for long enough, of those that are this process's to close: each is closed once, with a commit of its own
 * partition.
 */
export function closeDue({ stories, window }: Graph, isOwn: (story: Story) => boolean): Story[] {
  const due = stories.due(TOLD, window.watermarkMs).filter(isOwn);
  for (const story of due) stories.close(story);
  return due;
}
