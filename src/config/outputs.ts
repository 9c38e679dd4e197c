import { z } from "zod";
import { ALERT_FORMATS } from "../alerts/alert-formats.ts";
import { SYSLOG_FORMATS } from "../delivery/syslog.ts";
import { WEBHOOK_BODIES } from "../delivery/webhook.ts";
import { ENCODINGS } from "../ingest/login-encoding.ts";
import { secretSchema } from "./secrets.ts";

const SINKS_MAX = 20;
const name = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,100}$/, "letters, digits, dots, dashes; at most 100")
  .describe("what it is called, in messages and in the name of its consumer group");
const timeoutMs = z
  .number()
  .int()
  .min(100)
  .max(120_000)
  .default(10_000)
  .describe("longest time that one attempt takes");

const webhookSchema = z
  .strictObject({
    name,
    url: z
      .string()
      .refine(isWebhookUrl, "expected a URL as https://host/path, without user and password")
      .optional()
      .describe("where alerts are posted to; a URL that is a secret belongs in urlFile"),
    urlFile: z.string().min(1).optional().describe("file that holds the URL"),
    token: secretSchema
      .regex(/^[\x21-\x7e]*$/, "holds characters no token has")
      .optional()
      .describe("bearer token"),
    tokenFile: z.string().min(1).optional().describe("file that holds the token"),
    body: z
      .enum(WEBHOOK_BODIES)
      .default("alert")
      .describe('the alert as it is; or text: {"text": its message}, which chats show'),
    timeoutMs,
  })
  .refine(({ url, urlFile }) => (url === undefined) !== (urlFile === undefined), {
    message: "set either url or urlFile, and not both",
  })
  .refine(({ token, tokenFile }) => token === undefined || tokenFile === undefined, {
    message: "set token or tokenFile, not both",
  });

const syslogSchema = z.strictObject({
  name,
  host: z
    .string()
    .regex(/^[^\s/@]{1,253}$/, "expected a host name or an address, without udp:// or the like")
    .describe("where the collector is"),
  port: z.number().int().min(1).max(65_535).describe("its port: 601 for TCP, 6514 for TLS, by custom"),
  tls: z.boolean().default(false).describe("TLS to the collector"),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe("certificate authorities, PEM; those that Node knows if not set"),
  format: z
    .enum(SYSLOG_FORMATS)
    .default("cef")
    .describe("what a message holds: Common Event Format, or the alert as it is"),
  facility: z.number().int().min(0).max(23).default(10).describe("facility of RFC 5424; 10 is authorization"),
  timeoutMs,
});

/** Credentials in a URL are no way to log in that HTTP clients take: a token is. */
export function isWebhookUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}

/** Where results go, and in which form. */
export const outputsSchema = z
  .strictObject({
    store: z
      .string()
      .min(1)
      .optional()
      .describe("SQLite file that keeps everything; without it nothing is kept"),
    alerts: z.string().min(1).optional().describe("file for alerts, one a line"),
    alertsShadow: z
      .string()
      .min(1)
      .optional()
      .describe("file for what an epoch in the shadow would have raised, with training.shadow"),
    scored: z.string().min(1).optional().describe("file for scored logins, one a line"),
    scoredLogins: z.boolean().default(false).describe("keep every scored login in the store"),
    entityRisk: z
      .boolean()
      .default(false)
      .describe("keep the risk of accounts and hosts in a compacted topic, or a table of the store"),
    alertFormat: z
      .enum(ALERT_FORMATS)
      .default("ocsf")
      .describe("fields of alerts in files and topics: OCSF Detection Finding, or Elastic Common Schema"),
    encoding: z
      .enum(ENCODINGS)
      .default("json")
      .describe(
        "of alerts and scored logins in topics; avro registers their schemas at input.registry, under <topic>-value",
      ),
    webhooks: z
      .array(webhookSchema)
      .max(SINKS_MAX)
      .default([])
      .describe("URLs that each alert is posted to: see outputs.md"),
    syslog: z
      .array(syslogSchema)
      .max(SINKS_MAX)
      .default([])
      .describe("collectors of syslog that each alert is sent to, over TCP or TLS: see outputs.md"),
    waitingMax: z
      .number()
      .int()
      .min(1)
      .max(1e6)
      .default(10_000)
      .describe(
        "alerts of a store that wait for a webhook or collector; of more, the oldest are passed over, and counted",
      ),
  })
  .refine(({ webhooks, syslog }) => hasDistinctNames([...webhooks, ...syslog]), {
    message: "two webhooks or syslog collectors have the same name",
  })
  .refine(({ webhooks, syslog, encoding }) => encoding === "json" || webhooks.length + syslog.length === 0, {
    message: "webhooks and syslog collectors get what is in the topic: encoding must be json",
  })
  .refine(
    ({ syslog, alertFormat }) => alertFormat === "ocsf" || syslog.every(({ format }) => format === "json"),
    {
      message: "CEF is made of OCSF: set alertFormat to ocsf, or the format of the collectors to json",
    },
  )
  .prefault({});

function hasDistinctNames(sinks: readonly { readonly name: string }[]): boolean {
  return new Set(sinks.map(({ name }) => name)).size === sinks.length;
}
