import { z } from "zod";
import { SIGNALS } from "../../alerts/odd-login.ts";
import { VERDICT_KINDS, verdictMatchSchema, verdictSchema } from "../../alerts/verdict.ts";
import { COLUMNS, NAME_BYTES_MAX, sparseLoginSchema } from "../../ingest/login.ts";
import { ENTITY_KIND_NAMES } from "../entity-view.ts";

/** What requests and answers hold. */

export const errorSchema = z.object({ error: z.string() }).describe("why not, and what to do about it");

const timeMs = z.number().describe("event time, milliseconds since 1970");

export const entityRequestSchema = z.strictObject({
  kind: z.enum(ENTITY_KIND_NAMES),
  name: z.string().min(1).max(NAME_BYTES_MAX).describe("as the graph has it: see formats.md"),
  peersMax: z.number().int().min(1).max(200).default(20).describe("peers of each kind of link"),
});

const linkViewSchema = z.object({
  name: z.string(),
  logins: z.number(),
  failures: z.number(),
  strongEvidence: z.number(),
  weakEvidence: z.number(),
  alerts: z.number(),
  firstSeenMs: timeMs,
  lastSeenMs: timeMs,
});

export const entitySchema = z.object({
  kind: z.enum(ENTITY_KIND_NAMES),
  name: z.string(),
  firstSeenMs: timeMs.nullable(),
  lastSeenMs: timeMs.nullable(),
  links: z.array(
    z.object({
      link: z.string(),
      end: z.enum(["from", "to"]),
      peerKind: z.enum([...ENTITY_KIND_NAMES, "value"]),
      total: z.number().describe("peers, of which the most frequent are listed"),
      peers: z.array(linkViewSchema),
    }),
  ),
  risk: z
    .object({
      riskScore: z.number().describe("0 to 100"),
      riskLevelId: z.number().describe("OCSF's risk_level_id"),
      riskLevel: z.string(),
      incidentAlerts: z.number().describe("of these incidents, those about others in them included"),
      incidentCount: z.number(),
      lastAlertMs: timeMs,
      incidents: z.array(
        z.object({
          uid: z.string(),
          alerts: z.number(),
          firstMs: timeMs,
          lastMs: timeMs,
          isClosed: z.boolean(),
          verdict: z.enum(VERDICT_KINDS).nullable(),
        }),
      ),
    })
    .nullable()
    .describe("by the incidents that it takes part in, the newest first; null without any"),
});

/** A login that may be no more than an account and a host. */
export const scoreRequestSchema = sparseLoginSchema
  .partial({ timeMs: true })
  .describe("a login in oddlink's own fields; timeMs: now, by event time, if left out");

const probability = z.number().describe("the share of logins that look as odd; low is odd");

const forecastPeerSchema = z.object({
  name: z.string(),
  likelihood: z.number().describe("the share of logins whose links are no likelier"),
  logins: z.number().describe("how often the link was seen"),
});

export const scoreSchema = z.object({
  signal: z.enum(SIGNALS).describe("which would raise an alert"),
  score: probability,
  signals: z.object({
    presence: probability,
    surprise: probability,
    link: probability.optional().describe("not there before the first epoch"),
    volume: probability,
  }),
  threshold: z.number().nullable().describe("null for presence, which has none; 0 while the budget learns"),
  isBelowThreshold: z.boolean().describe("an alert would follow, unless its incident told as much before"),
  reasons: z.array(
    z.object({
      signal: z.enum(SIGNALS),
      feature: z.string(),
      text: z.string(),
      observed: z.string(),
      usual: z.string(),
      contribution: z.number(),
    }),
  ),
  usual: z.array(
    z.object({
      parameter: z.string(),
      entity: z.string(),
      entityKind: z.enum(ENTITY_KIND_NAMES),
      values: z.array(z.object({ value: z.string(), count: z.number() })),
    }),
  ),
  nearestLogin: z
    .object({
      user: z.string(),
      sourceHost: z.string(),
      targetHost: z.string(),
      authType: z.string().nullable(),
      logonType: z.string().nullable(),
      logins: z.number().describe("at most, as links are remembered and not logins"),
      firstSeenMs: timeMs,
      lastSeenMs: timeMs,
      differs: z.array(z.enum(COLUMNS)),
      text: z.string(),
    })
    .optional()
    .describe("the familiar login that is most like it"),
  expectedPeers: z
    .array(
      z.object({
        link: z.string(),
        parameter: z.string(),
        entity: z.string(),
        entityKind: z.enum(ENTITY_KIND_NAMES),
        peers: z.array(forecastPeerSchema),
        observed: forecastPeerSchema.extend({ rank: z.number(), candidates: z.number() }),
        text: z.string(),
      }),
    )
    .describe("hosts that the graph model would have expected; none before the first epoch"),
  lastSeen: z
    .array(
      z.object({
        link: z.string(),
        logins: z.number(),
        firstSeenMs: timeMs.nullable(),
        lastSeenMs: timeMs.nullable(),
        text: z.string(),
      }),
    )
    .describe("when each of its links was seen before"),
});

/** OCSF has a schema of its own. */
const findingSchema = z
  .record(z.string(), z.unknown())
  .describe("OCSF 1.8.0 Detection Finding: see outputs.md");

const suppressionSchema = z
  .object({ id: z.string(), owner: z.string(), reason: z.string(), until: z.string() })
  .describe("the rule by which nobody is told: see suppressions.md");

export const incidentSchema = z.object({
  uid: z.string(),
  title: z.string(),
  signal: z.enum(SIGNALS),
  severity: z.string(),
  alertCount: z.number().describe("of all workers"),
  firstMs: timeMs,
  lastMs: timeMs,
  verdict: z.enum(VERDICT_KINDS).nullable().describe("the last answer"),
  isClosed: z.boolean().describe("a day has passed without an alert"),
  suppression: suppressionSchema.nullable().describe("null for an incident that was told"),
});
export const incidentListSchema = z.object({
  total: z.number().describe("of the state asked for, kept by this process"),
  counts: z.object({ told: z.number(), suppressed: z.number() }).describe("kept by this process"),
  incidents: z.array(incidentSchema).describe("the newest first"),
});
export const incidentDetailSchema = incidentSchema.extend({
  alerts: z.array(findingSchema).describe("the oldest first; of many the newest"),
  verdicts: z.array(verdictSchema).describe("what was answered, the newest last"),
  answerIsAbout: z.array(verdictMatchSchema).describe("which logins an answer now would be about"),
});

export const statusSchema = z.object({
  version: z.string(),
  isReady: z.boolean(),
  partitions: z.array(z.number()).describe("of the input, that this process has now"),
  lag: z
    .object({ records: z.number(), seconds: z.number() })
    .nullable()
    .describe(
      "records of these partitions that are not committed, and the age of the oldest; null where nobody says, as of files",
    ),
  counts: z
    .object({
      consumed: z.number(),
      scored: z.number(),
      evidence: z.number(),
      ignored: z.number(),
      rejected: z.number(),
      duplicate: z.number(),
      alerts: z.number(),
      suppressed: z.number().describe("alerts that a rule suppressed, which are not among them"),
      incidents: z.number(),
    })
    .describe("consumed is the sum of the next five; of a worker: since it began"),
  decades: z
    .array(z.number())
    .describe("scored logins by decade of score: the first below 1e-19, the last 0.1 to 1"),
  scores: z
    .object({
      binsPerNat: z
        .number()
        .describe("bin i holds scores from e^-((i + 1) / binsPerNat) to e^-(i / binsPerNat)"),
      logins: z.array(z.number()).describe("scored by this process, those left out that presence raises"),
      groups: z
        .array(z.number())
        .describe(
          "that ended lately, by their oddest score: one account from one host within half an hour, which is what the alert budget counts; of all workers",
        ),
      days: z.number().describe("in which they ended, 14 at most"),
      groupsBelow: z.number().describe("groups that are less odd than this are not counted"),
      alertsPerDay: z
        .number()
        .nullable()
        .describe("the budget; null with a fixed threshold, and then groups are of this process"),
    })
    .describe("what other thresholds would have raised"),
  threshold: z.number().nullable(),
  epoch: z.object({ number: z.number(), digest: z.string() }).nullable(),
  graph: z.object({
    entities: z.number(),
    links: z.number(),
    fromMs: timeMs.nullable(),
    watermarkMs: timeMs.nullable().describe("how far event time has come"),
  }),
});
