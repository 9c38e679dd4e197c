import type { OddLogin } from "./odd-login.ts";
import { shown } from "./wording.ts";

/** Every answer goes back to the engine: it is how a benign link becomes one, and how an odd one stays out of training. */
const VERDICT = "Answer the alert with a verdict, benign ones too.";

/** What the analyst does next, cheapest check first. Plain sentences: they are read in a ticket, not in oddlink. */
export function nextSteps(odd: OddLogin): string {
  const user = odd.login.user === "" ? "the account" : shown(odd.login.user);
  const source = odd.login.sourceHost === "" ? "the source host" : shown(odd.login.sourceHost);
  const target = odd.login.targetHost === "" ? "the target host" : shown(odd.login.targetHost);
  return `${steps(odd, user, source, target)} ${VERDICT}`;
}

function steps(odd: OddLogin, user: string, source: string, target: string): string {
  switch (odd.signal) {
    case "presence":
      return (
        `Ask the owner of ${user} whether they worked on ${source} at that time, and see who else was signed in there. ` +
        `If nobody can explain it, end the sessions of ${user}, reset its credentials, isolate ${source}, ` +
        "and look for other accounts used from it."
      );
    case "surprise":
      return (
        `Compare the login with the usual hosts listed here, and ask the owner of ${user} about ${target}. ` +
        `If nobody can explain it, look at what ${user} did on ${target} next and where else it came from ${source}.`
      );
    case "link":
      return (
        `Check whether ${user} has a reason to reach ${target} from ${source}: a new task, a move, a new server. ` +
        `If there is none, follow the logins into ${source} before this one and out of ${target} after it.`
      );
    case "volume":
      return (
        `Find the process on ${source} that logs in so often; a job, a scanner or an expired password is likeliest. ` +
        `If none explains it, stop ${source} from reaching ${target}, and check which of the attempts succeeded.`
      );
  }
}
