import { z } from "zod";
import { FORMAT_NAMES } from "../ingest/formats/index.ts";
import { ENCODINGS } from "../ingest/login-encoding.ts";
import { topicSchema } from "./kafka.ts";

const RAW_TOPICS_MAX = 100;

/** What `oddlink normalize` reads, and how it writes. */
export const normalizeSchema = z
  .strictObject({
    topics: z
      .array(
        z.strictObject({
          topic: topicSchema.describe("topic that is read"),
          format: z
            .enum(FORMAT_NAMES)
            .default("auto")
            .describe("format of its records; auto recognises each record"),
        }),
      )
      .max(RAW_TOPICS_MAX)
      .refine((topics) => new Set(topics.map(({ topic }) => topic)).size === topics.length, {
        message: "a topic is named twice",
      })
      .default([])
      .describe("raw topics that oddlink normalize makes canonical logins of"),
    encoding: z
      .enum(ENCODINGS)
      .default("json")
      .describe("of the canonical logins; avro registers the schema at input.registry"),
  })
  .prefault({});
