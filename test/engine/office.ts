import type { Login } from "../../src/ingest/login.ts";
import { Random } from "../../src/model/random.ts";
import { login } from "../graph-state/logins.ts";

export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;
export const START_MS = 20_000 * DAY_MS;
const USERS = 40;
const TEAMS = 4;
const SERVERS_OF_A_TEAM = 4;

/** Everybody logs on from his own host to his team's servers, now and then to another; one login a minute. */
export function* ordinary(untilMs: number): Generator<Login> {
  const random = new Random(1, "logins");
  for (let timeMs = START_MS; timeMs < untilMs; timeMs += MINUTE_MS) {
    const user = random.nextInt(USERS);
    const team = random.nextFloat() < 0.02 ? random.nextInt(TEAMS) : user % TEAMS;
    const server =
      random.nextFloat() < 0.01
        ? `S${random.nextInt(TEAMS * SERVERS_OF_A_TEAM)}`
        : `S${team * SERVERS_OF_A_TEAM + random.nextInt(SERVERS_OF_A_TEAM)}`;
    yield login({ timeMs, user: `U${user}`, sourceHost: `W${user}`, targetHost: server });
    if (timeMs % (60 * MINUTE_MS) === 0) {
      yield login({ timeMs, user: "P1", sourceHost: "WP", targetHost: "payroll" });
    }
  }
}
