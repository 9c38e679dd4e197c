import { Random } from "../../model/random.ts";
import type { Accounts } from "../accounts.ts";
import type { Calendar } from "../calendar.ts";
import type { Organisation } from "../organisation.ts";
import type { InjectedRow } from "./injection.ts";
import { goldenTicket, remoteDesktop, stolenTicket } from "./kerberos-tickets.ts";
import { newEmployee, newServer } from "./look-alikes.ts";
import { insider, lowAndSlow, serviceAccount } from "./own-account.ts";
import { Scene } from "./scene.ts";
import { chain, spray, star, wrongUser } from "./stolen-accounts.ts";

const SCENARIOS = {
  star,
  chain,
  "low-and-slow": lowAndSlow,
  spray,
  "stolen-ticket": stolenTicket,
  "golden-ticket": goldenTicket,
  "remote-desktop": remoteDesktop,
  "service-account": serviceAccount,
  insider,
  "wrong-user": wrongUser,
  "new-employee": newEmployee,
  "new-server": newServer,
} as const satisfies Record<string, (scene: Scene) => void>;

export type ScenarioName = keyof typeof SCENARIOS;

export const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[];

/** New but honest: no attack, and not labelled as one. */
export const LOOK_ALIKES: readonly ScenarioName[] = ["new-employee", "new-server"];

/** The rows of a scenario, all after the warm-up. Its random numbers are its own, so no other row depends on it. */
export function planScenario(
  name: ScenarioName,
  organisation: Organisation,
  accounts: Accounts,
  calendar: Calendar,
  seed: number,
): readonly InjectedRow[] {
  const scene = new Scene(organisation, accounts, calendar, new Random(seed, `scenario/${name}`));
  SCENARIOS[name](scene);
  return scene.rows.rows;
}
