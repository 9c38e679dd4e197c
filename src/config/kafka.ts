import { z } from "zod";
import { secretSchema } from "./secrets.ts";

const SASL_MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512", "oauthbearer"] as const;

/** Names that a topic may have. */
export const topicSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,249}$/, "letters, digits, dots, dashes; at most 249");

const PORT_MAX = 65_535;

/** A list, or its items as one text with commas: as an environment variable is written. */
const brokersSchema = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === "string" ? value.split(",") : value).map((item) => item.trim()))
  .pipe(
    z
      .array(
        z
          .string()
          .regex(/^[^\s:]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i, "expected host:port")
          .refine((broker) => Number(/\d+$/.exec(broker)?.[0] ?? 0) <= PORT_MAX, "a port is 65535 at most"),
      )
      .min(1),
  );

export const kafkaSchema = z.strictObject({
  brokers: brokersSchema
    .prefault("localhost:9092")
    .describe("where to reach the cluster, host:port, with commas between several"),
  clientId: z.string().min(1).max(200).default("oddlink").describe("name that brokers log"),
  group: z
    .string()
    .min(1)
    .max(200)
    .default("oddlink")
    .describe("consumer group; its workers share the input"),
  topicPrefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,100}$/)
    .default("oddlink.")
    .describe("what the names of topics begin with, if not set one by one"),
  topics: z
    .strictObject({
      logins: topicSchema.optional().describe("topic that is read"),
      alerts: topicSchema.optional().describe("topic of alerts"),
      alertsShadow: topicSchema
        .optional()
        .describe("topic of what an epoch in the shadow would have raised, with training.shadow"),
      scoredLogins: topicSchema.optional().describe("topic of scored logins, with outputs.scoredLogins"),
      entityRisk: topicSchema
        .optional()
        .describe("compacted topic of the risk of accounts and hosts, with outputs.entityRisk"),
      deadLetters: topicSchema.optional().describe("topic of records that can't be read"),
      graphState: topicSchema
        .optional()
        .describe("compacted topic of segments, as many partitions as logins"),
      epochs: topicSchema.optional().describe("compacted topic of models, one partition"),
      verdicts: topicSchema.optional().describe("topic of analysts' answers"),
    })
    .prefault({}),
  sasl: z
    .strictObject({
      mechanism: z.enum(SASL_MECHANISMS).optional().describe("how to log in; not at all if not set"),
      username: z.string().min(1).optional().describe("user of plain and scram"),
      password: secretSchema.optional().describe("password of that user"),
      token: secretSchema.optional().describe("token of oauthbearer"),
      tokenFile: z
        .string()
        .min(1)
        .optional()
        .describe("file that holds the token, read anew for each connection, so that it may be renewed"),
    })
    .refine(
      ({ mechanism, username, password }) =>
        mechanism === undefined ||
        mechanism === "oauthbearer" ||
        (username !== undefined && password !== undefined),
      { message: "username and password are needed" },
    )
    .refine(
      ({ mechanism, token, tokenFile }) =>
        mechanism !== "oauthbearer" || (token === undefined) !== (tokenFile === undefined),
      { message: "either token or tokenFile is needed" },
    )
    .prefault({}),
  ssl: z
    .strictObject({
      enabled: z.boolean().default(false).describe("TLS to the brokers"),
      caFile: z
        .string()
        .min(1)
        .optional()
        .describe("certificate authorities, PEM; those that Node knows if not set"),
      certFile: z.string().min(1).optional().describe("certificate of this client, PEM"),
      keyFile: z.string().min(1).optional().describe("private key of that certificate, PEM"),
      keyPassword: secretSchema.optional().describe("what the private key is encrypted with"),
      serverName: z
        .string()
        .min(1)
        .optional()
        .describe("name that the brokers' certificates are checked for"),
    })
    .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
      message: "certFile and keyFile are set together",
    })
    .prefault({}),
  compression: z
    .enum(["none", "gzip", "snappy", "lz4", "zstd"])
    .default("gzip")
    .describe("of what is written, which all clients can read; what is read may have any"),
  commitIntervalMs: z
    .number()
    .int()
    .min(5)
    .max(60_000)
    .default(50)
    .describe("shortest time between commits of a partition; longer with many partitions"),
  sessionTimeoutMs: z
    .number()
    .int()
    .min(500)
    .max(300_000)
    .default(6000)
    .describe("a worker that is silent for so long has its partitions taken"),
  drainMs: z
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(10_000)
    .describe("how long a stop waits for commits whose outcome is not known"),
  queueBytesMax: z
    .number()
    .int()
    .min(10_000)
    .max(1e9)
    .default(2_000_000)
    .describe("fetched bytes of one partition that wait to be scored, before reading pauses"),
  onLostInput: z
    .enum(["fail", "skip"])
    .default("fail")
    .describe("what to do where records were deleted from the topic before they were read"),
});
export type KafkaConfig = z.infer<typeof kafkaSchema>;
