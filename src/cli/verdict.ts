import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { Argument, Command } from "commander";
import { z } from "zod";
import type { DetectionFinding } from "../alerts/detection-finding.ts";
import {
  type Answer,
  answerSchema,
  VERDICT_KINDS,
  type Verdict,
  verdictOf,
  verdictSchema,
} from "../alerts/verdict.ts";
import { HTTP_PORT } from "../config/http.ts";
import type { Config } from "../config/schema.ts";
import { VerdictLog, verdictRecord } from "../engine/verdict-log.ts";
import { OddlinkError } from "../errors.ts";
import { reasonOfFetch } from "../fetch-errors.ts";
import { Store } from "../log/embedded/store.ts";
import { type CommonFlags, configOf } from "./options.ts";
import type { StandardOutput } from "./standard-output.ts";
import { nameText, sentenceText } from "./terminal/outside-text.ts";

/** Alerts that say what an answer is about, and answers that are listed. */
const ALERTS_MAX = 100;
const LISTED_MAX = 1000;
const ANSWER_MS_MAX = 30_000;

type VerdictFlags = Pick<CommonFlags, "config" | "store" | "json"> & {
  readonly by?: string;
  readonly until?: string;
  readonly reason?: string;
  readonly anyTarget?: true;
  readonly url?: string;
  readonly list?: true;
};

/** Where incidents are, and answers go: a process that serves, or a store that no process has open. */
type Desk = {
  /** Uids of incidents that begin so: two are enough to know that it is not said which. */
  incidentsLike(prefix: string): Promise<readonly string[]>;
  answer(incidentUid: string, answer: Answer): Promise<Verdict>;
  list(): Promise<readonly Verdict[]>;
};

export function verdictCommand(output: StandardOutput): Command {
  return new Command("verdict")
    .description("Answer an incident, or list what was answered.")
    .argument("[incident]", "its uid: finding_info.uid of its alerts, or how that begins")
    .addArgument(
      new Argument("[verdict]", "the answer; withdrawn takes back what was answered before").choices(
        VERDICT_KINDS,
      ),
    )
    .option("--by <name>", "who answers")
    .option(
      "--until <date>",
      "how long such alerts are suppressed: a last day, or a time; benign and false-positive need it",
    )
    .option("--reason <text>", "why")
    .option("--any-target", "about logins to any host, not only to those that the alerts name")
    .option("--list", "the last answer to each incident, the newest first")
    .option("--store <file>", "of a run that is not under way")
    .option(
      "--url <url>",
      "of a worker, or of run --serve; the configuration's http.host and http.port if not given",
    )
    .option("--json", "print JSON")
    .option("--config <file>", "configuration file (YAML); environment and flags come after it")
    .addHelpText(
      "after",
      `
A true positive is never taken for normal, and alerts each time. What is benign or a false positive is suppressed until the day that is named, by the
time of logins, and its links are trained on from the next epoch. All answers are kept: docs/verdicts.md.

Examples:
  oddlink verdict 4f0c81d2 benign --by ann --until 2027-03-31 --reason "moved to another team"
                                                     to the process that serves on this machine
  oddlink verdict 4f0c81d2 true-positive --by ann --store run.db
                                                     to the store of a run that has ended
  oddlink verdict --list                             what was answered`,
    )
    .action((incident: string | undefined, verdict: string | undefined, flags: VerdictFlags) =>
      run(incident, verdict, flags, output),
    );
}

async function run(
  incident: string | undefined,
  verdict: string | undefined,
  flags: VerdictFlags,
  output: StandardOutput,
): Promise<void> {
  if (flags.list ? incident !== undefined : verdict === undefined)
    throw new OddlinkError("USAGE", "name an incident and a verdict, or ask for --list; see --help");
  if (flags.store !== undefined && flags.url !== undefined)
    throw new OddlinkError("USAGE", "--store and --url are two places: leave one out");
  const { store: _store, ...common } = flags;
  const config = configOf(common);
  const desk =
    typeof flags.store === "string" ? storeDesk(flags.store) : httpDesk(flags.url ?? urlOf(config), config);
  if (flags.list) {
    const verdicts = await desk.list();
    for (const one of verdicts) output.write(`${flags.json ? JSON.stringify(one) : lineOf(one)}\n`);
    if (verdicts.length === 0) process.stderr.write("nothing was answered yet\n");
    return;
  }
  const { success, data, error } = answerSchema.safeParse({
    verdict,
    by: flags.by,
    until: flags.until,
    reason: flags.reason,
    isAnyTarget: flags.anyTarget ?? false,
  });
  if (!success) {
    const [issue] = error.issues;
    const where = issue!.path.join(".");
    throw new OddlinkError(
      "USAGE",
      where === "by" ? "--by is missing: say who answers" : `--${where}: ${issue!.message}`,
    );
  }
  const answered = await desk.answer(await wholeUid(desk, incident!), data);
  output.write(`${flags.json ? JSON.stringify(answered) : lineOf(answered)}\n`);
}

/** A terminal shows the beginning of a uid, and that is enough where no other incident begins so. */
async function wholeUid(desk: Desk, written: string): Promise<string> {
  const given = written.toLowerCase();
  if (!/^[0-9a-f]{4,32}$/.test(given))
    throw new OddlinkError(
      "USAGE",
      `${nameText(written)} is no uid of an incident: 32 digits of 0 to 9 and a to f, or how they begin, four at least`,
    );
  if (given.length === 32) return given;
  const [uid, other] = await desk.incidentsLike(given);
  if (other !== undefined)
    throw new OddlinkError("USAGE", `more than one incident begins with ${given}: give its whole uid`);
  return uid ?? given;
}

/** Of a process on this machine, wherever it listens. */
function urlOf({ http }: Config): string {
  const host = http.host === "0.0.0.0" ? "127.0.0.1" : http.host === "::" ? "[::1]" : http.host;
  return `http://${host}:${http.port || HTTP_PORT}`;
}

function httpDesk(url: string, { http }: Config): Desk {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new OddlinkError("USAGE", `--url expects an address such as http://127.0.0.1:${HTTP_PORT}`);
  const ask = async <T>(path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> => {
    const response = await fetch(new URL(`/api/v1/${path}`, url), {
      method: body === undefined ? "GET" : "POST",
      headers: {
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(http.token !== undefined && { authorization: `Bearer ${http.token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    }).catch((error: unknown) => {
      throw new OddlinkError(
        "CONSOLE_UNREACHABLE",
        `no answer from ${url} (${reasonOfFetch(error)}): does a worker, or run --serve, listen there? --url names another place, --store FILE the store of a run that has ended`,
      );
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return schema.parse(answer);
    const { error } = z
      .object({ error: z.string() })
      .catch({ error: `status ${response.status}` })
      .parse(answer);
    throw new OddlinkError("VERDICT_REFUSED", `${url} refuses: ${sentenceText(error)}`);
  };
  return {
    incidentsLike: async (prefix) => {
      const schema = z.object({ incidents: z.array(z.object({ uid: z.string() })) });
      const { incidents } = await ask(`incidents?state=all&limit=${LISTED_MAX}`, schema);
      return incidents.map(({ uid }) => uid).filter((uid) => uid.startsWith(prefix));
    },
    answer: (uid, answer) => ask(`incidents/${encodeURIComponent(uid)}/verdict`, verdictSchema, answer),
    list: async () => {
      const listed = await ask(
        `verdicts?limit=${LISTED_MAX}`,
        z.object({ verdicts: z.array(verdictSchema) }),
      );
      return listed.verdicts;
    },
  };
}

function storeDesk(path: string): Desk {
  const open = (): Store => {
    if (!existsSync(path)) throw new OddlinkError("USAGE", `there is no store ${path}`);
    try {
      return new Store(path, false);
    } catch (error) {
      if (!(error instanceof OddlinkError) || error.code !== "STORE_BUSY") throw error;
      const hint = "a process has the store open: leave --store out to answer it over HTTP, if it serves";
      throw new OddlinkError("STORE_BUSY", hint, { cause: error });
    }
  };
  return {
    incidentsLike: async (prefix) => {
      const store = open();
      try {
        return store.incidentsLike(prefix, 2);
      } finally {
        store.close();
      }
    },
    answer: async (incidentUid, answer) => {
      const store = open();
      try {
        const alerts = store
          .findingsOf(incidentUid, ALERTS_MAX)
          .map((finding) => JSON.parse(finding) as DetectionFinding);
        if (alerts.length === 0)
          throw new OddlinkError(
            "VERDICT_REFUSED",
            `${path} holds no alert of an incident ${nameText(incidentUid)}`,
          );
        const verdict = verdictOf(answer, { uid: randomUUID(), incidentUid, alerts, nowMs: Date.now() });
        if (typeof verdict === "string") throw new OddlinkError("USAGE", verdict);
        store.append("verdicts", verdictRecord(verdict));
        return verdict;
      } finally {
        store.close();
      }
    },
    list: async () => {
      const store = open();
      try {
        const log = new VerdictLog({
          log: {
            follow: (topic, onRecord) => {
              for (const record of store.values(topic)) onRecord(record);
              return { caughtUp: async () => {}, close: async () => {} };
            },
          },
        });
        await log.restore();
        return log.verdicts.newest(LISTED_MAX);
      } finally {
        store.close();
      }
    },
  };
}

function lineOf({ verdict, incidentUid, by, until, reason, madeAtMs }: Verdict): string {
  const ends = until === undefined ? "" : ` until ${until}`;
  const why = reason === undefined ? "" : `: ${sentenceText(reason)}`;
  return `${new Date(madeAtMs).toISOString()}  ${incidentUid}  ${verdict} by ${nameText(by)}${ends}${why}`;
}
