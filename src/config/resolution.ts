import { z } from "zod";
import { topicSchema } from "./kafka.ts";

const tableSchema = (what: string) =>
  z
    .strictObject({
      file: z
        .string()
        .min(1)
        .optional()
        .describe(`CSV with the columns from and to, plain or gzip: ${what}; read at start`),
      topic: topicSchema
        .optional()
        .describe(
          `compacted topic with the same, by key and value as text; followed by what reads Kafka, beside the file`,
        ),
      entriesMax: z
        .number()
        .int()
        .min(1)
        .max(1e7)
        .default(1_000_000)
        .describe("entries kept; the one that was not asked for for longest makes room"),
    })
    .prefault({});

/** Look-aside tables, by which addresses and aliases become names before a login is scored. */
export const resolutionSchema = z
  .strictObject({
    hosts: tableSchema("names of hosts by address"),
    users: tableSchema("accounts by alias"),
  })
  .prefault({});
