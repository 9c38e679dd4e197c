import { z } from "zod";
import { SIGNALS } from "../alerts/odd-login.ts";
import { DEFAULT_LINK_KINDS, LINK_KINDS_MAX, linkKindSchema } from "../graph-state/link-kinds.ts";
import { windowOptionsSchema } from "../graph-state/window.ts";
import { FORMAT_NAMES } from "../ingest/formats/index.ts";
import { mappingSchema } from "../ingest/formats/mapping.ts";
import { isReadable } from "../model/decoders/decoders.ts";
import { presenceOptionsSchema } from "../model/presence.ts";
import { PRESENCE_SHARE } from "../model/score.ts";
import { surpriseOptionsSchema } from "../model/surprise.ts";
import { ODD_DIMENSIONS, trainingOptionsSchema } from "../model/training/training-options.ts";
import { canarySchema } from "./canary.ts";
import { checksSchema } from "./checks.ts";
import { httpSchema } from "./http.ts";
import { kafkaSchema } from "./kafka.ts";
import { managementSchema } from "./management.ts";
import { normalizeSchema } from "./normalize.ts";
import { outputsSchema } from "./outputs.ts";
import { resolutionSchema } from "./resolution.ts";
import { HIDDEN, secretSchema } from "./secrets.ts";
import { suppressionsSchema } from "./suppressions.ts";

export const DETECTORS = ["default", "presence", "surprise", "link", "volume"] as const;
export type Detector = (typeof DETECTORS)[number];

export const TRAINING_MODES = ["off", "replay", "live"] as const;
export type TrainingMode = (typeof TRAINING_MODES)[number];

const registrySchema = z
  .strictObject({
    url: z
      .string()
      .refine((text) => /^https?:\/\/[^?#]+$/i.test(text) && URL.canParse(text) && !text.includes(HIDDEN), {
        message: "expected a URL as http://host:port or https://host/path",
      })
      .describe("Confluent-compatible schema registry, for Avro that is read or written"),
    username: z
      .string()
      .min(1)
      .regex(/^[^:]*$/, "a user name can't hold a colon")
      .optional()
      .describe("user of the registry, with a password"),
    password: secretSchema.optional().describe("password of that user"),
    token: secretSchema
      .regex(/^[\x21-\x7e]*$/, "holds characters no token has")
      .optional()
      .describe("bearer token, instead of user and password"),
    timeoutMs: z
      .number()
      .int()
      .min(100)
      .max(60_000)
      .default(5_000)
      .describe("longest wait for one answer of the registry"),
    registers: z
      .boolean()
      .default(true)
      .describe(
        "register the schemas of what is written in Avro, under <topic>-value; false: they must be there",
      ),
  })
  .refine((registry) => (registry.username === undefined) === (registry.password === undefined), {
    message: "username and password are set together",
  })
  .refine((registry) => registry.token === undefined || registry.username === undefined, {
    message: "set a token, or username and password, not both",
  });

/** Everything that can be configured, with its default. One schema for file, environment and flags. */
export const configSchema = z
  .strictObject({
    seed: z
      .number()
      .int()
      .min(0)
      .max(0xffffffff)
      .default(1)
      .describe("seed of everything random, which is training alone"),
    input: z
      .strictObject({
        format: z.enum(FORMAT_NAMES).default("auto").describe("input format; auto recognises each record"),
        lanlStartMs: z
          .number()
          .int()
          .min(0)
          .default(0)
          .describe("what second 0 of LANL's clock means, ms since the epoch; LANL never published it"),
        syslogYear: z
          .number()
          .int()
          .min(1970)
          .max(9999)
          .optional()
          .describe(
            "year of the first line of syslog that says none; unset: this year, or the year before if that lies more than a day ahead",
          ),
        recordBytesMax: z
          .number()
          .int()
          .min(1024)
          .max(1 << 26)
          .default(1 << 20)
          .describe("longest record in bytes; of longer ones the beginning is dead-lettered"),
        rejectedShareMax: z
          .number()
          .min(0)
          .max(1)
          .default(0.1)
          .describe(
            "a run ends with an error once this share of its records is unreadable (and at least 100 are); on Kafka it warns and goes on",
          ),
        duplicatesMax: z
          .number()
          .int()
          .min(0)
          .max(1e7)
          .default(100_000)
          .describe(
            "recent event ids remembered for each input, to tell duplicates; not kept across restarts",
          ),
        mappings: z
          .array(mappingSchema)
          .max(100)
          .default([])
          .describe("formats of your own, by where the fields of a login are in them: see formats.md"),
        resolution: resolutionSchema,
        registry: registrySchema.optional(),
      })
      .refine((input) => input.format !== "mapped" || input.mappings.length > 0, {
        message: "format mapped needs input.mappings",
      })
      .refine((input) => input.format !== "avro" || input.registry !== undefined, {
        message: "format avro needs a schema registry: set input.registry.url",
      })
      .prefault({}),
    links: z
      .array(linkKindSchema)
      .min(1)
      .max(LINK_KINDS_MAX - 6)
      .refine((links) => new Set(links.map(({ from, to }) => `${from}-${to}`)).size === links.length, {
        message: "two links have the same columns",
      })
      .refine((links) => links.every(({ from, to }) => from !== to), {
        message: "a link leads from a column to itself",
      })
      .default([...DEFAULT_LINK_KINDS])
      .describe("which columns form links"),
    window: windowOptionsSchema.prefault({}),
    familiarAfterHours: z
      .number()
      .min(0)
      .max(24 * 30)
      .default(1)
      .describe("age at which a link begins to count as familiar: nothing repeated becomes normal at once"),
    alertedFamiliarAfterHours: z
      .number()
      .min(0)
      .max(24 * 90)
      .default(72)
      .describe(
        "the same of a link that an alert named: time to look at it, a weekend included; till then it belongs to its incident",
      ),
    presence: presenceOptionsSchema.prefault({}),
    surprise: surpriseOptionsSchema.prefault({}),
    training: trainingOptionsSchema
      .omit({ seed: true, negatives: true })
      .extend({
        mode: z
          .enum(TRAINING_MODES)
          .default("replay")
          .describe(
            "off; replay: by event time, awaited, the same bytes every time; live: by wall clock, never awaited, and on Kafka what replay means too",
          ),
        firstAfterHours: z
          .number()
          .positive()
          .max(8760)
          .default(12)
          .describe("hours before the first training"),
        everyHours: z.number().positive().max(8760).default(12).describe("hours between trainings"),
        warmStart: z
          .boolean()
          .default(true)
          .describe("begin each epoch from the one before: fewer steps, and scores that stay comparable"),
        gate: z
          .boolean()
          .default(true)
          .describe(
            "adopt a new epoch only if it is no worse than the one in force, and take it back if it brings too many alerts",
          ),
        shadow: z
          .boolean()
          .default(false)
          .describe(
            "a new epoch scores beside the one in force and alerts nobody: what it would have raised goes to alerts-shadow, until oddlink train --promote",
          ),
        checkpoint: z
          .string()
          .min(1)
          .optional()
          .describe(
            "file in which a training that takes long notes how far it has come, to go on there after a restart; beside the store if left out, and nowhere on Kafka",
          ),
        linksMin: z.number().int().min(1).max(1e9).default(200).describe("no training on fewer links"),
      })
      .refine(({ decoder, dimensions }) => isReadable(decoder, dimensions), { message: ODD_DIMENSIONS })
      .prefault({}),
    detector: z
      .enum(DETECTORS)
      .default("default")
      .describe("which signal orders the logins; default combines them"),
    withoutSignal: z
      .enum(SIGNALS)
      .optional()
      .describe(
        "a signal that the default detector does without; evaluate --ablation tells what each is worth",
      ),
    threshold: z
      .number()
      .gt(PRESENCE_SHARE)
      .max(1)
      .optional()
      .describe("fixed threshold: a login that scores below it is an alert; takes the place of alertsPerDay"),
    alertsPerDay: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(5)
      .describe("alert budget below the presence tier, for the whole input"),
    volume: z
      .strictObject({
        alertsPerDay: z
          .number()
          .int()
          .min(1)
          .max(100_000)
          .default(2)
          .describe("alert budget of floods, scans and sprays, beside alertsPerDay"),
      })
      .prefault({}),
    suppressions: suppressionsSchema,
    checks: checksSchema,
    kafka: kafkaSchema.prefault({}),
    normalize: normalizeSchema,
    outputs: outputsSchema,
    http: httpSchema,
    management: managementSchema,
    canary: canarySchema,
  })
  .refine(({ withoutSignal, detector }) => withoutSignal === undefined || detector === "default", {
    message: "only the default detector can do without a signal: the others are one signal each",
    path: ["withoutSignal"],
  })
  .refine(({ normalize, input }) => normalize.encoding !== "avro" || input.registry !== undefined, {
    message: "avro needs a schema registry: set input.registry.url",
    path: ["normalize", "encoding"],
  })
  .refine(({ outputs, input }) => outputs.encoding !== "avro" || input.registry !== undefined, {
    message: "avro needs a schema registry: set input.registry.url",
    path: ["outputs", "encoding"],
  })
  .refine(
    ({ normalize, input }) =>
      input.registry !== undefined || normalize.topics.every(({ format }) => format !== "avro"),
    {
      message: "format avro needs a schema registry: set input.registry.url",
      path: ["normalize", "topics"],
    },
  )
  .refine(
    ({ normalize, input }) =>
      input.mappings.length > 0 || normalize.topics.every(({ format }) => format !== "mapped"),
    { message: "format mapped needs input.mappings", path: ["normalize", "topics"] },
  )
  .superRefine(({ checks, suppressions }, context) => {
    const ids = new Set(suppressions.map(({ id }) => id));
    for (const [index, { rule }] of checks.entries()) {
      if (rule === undefined || ids.has(rule)) continue;
      const message = `there is no rule ${rule} among the suppressions`;
      context.addIssue({ code: "custom", message, path: ["checks", index, "rule"] });
    }
  })
  .refine(({ outputs, training }) => outputs.alertsShadow === undefined || training.shadow, {
    message: "needs training.shadow: true, or there is nothing in the shadow",
    path: ["outputs", "alertsShadow"],
  });
export type Config = z.infer<typeof configSchema>;
