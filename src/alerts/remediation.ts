import type { OddLogin } from "./odd-login.ts";
import { shown } from "./wording.ts";

/** What the analyst does next, cheapest check first. Plain sentences: they are read in a ticket, not in oddlink. */
export function nextSteps(odd: OddLogin): string {
  const user = odd.login.user === "" ? "the account" : shown(odd.login.user);
  const source = odd.login.sourceHost === "" ? "the source host" : shown(odd.login.sourceHost);
  const target = odd.login.targetHost === "" ? "the target host" : shown(odd.login.targetHost);
  return steps(odd, user, source, target);
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
      if (odd.reasons[0]?.feature === "targetLogins")
        return (
          `Find out what logs on to ${target} so often, beginning with the host that most logins come from; a job, a scanner or an expired ` +
          `password is likeliest. If none explains it, keep these hosts from ${target}, and check which of the attempts succeeded.`
        );
      return (
        `Find the process on ${source} that logs in so often; a job, a scanner or an expired password is likeliest. ` +
        `If none explains it, stop ${source} from reaching ${target}, and check which of the attempts succeeded.`
      );
  }
}
