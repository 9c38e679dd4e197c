import { z } from "zod";
import { EPOCH_STATES } from "../../engine/epoch-history.ts";
import { gateVerdictSchema } from "../../model/gate/gate-verdict.ts";
import { FAKE_KINDS } from "../../model/training/fake-sampler.ts";
import { ENTITY_KIND_NAMES } from "../entity-view.ts";

/** What answers on the model hold. */

const timeMs = z.number().describe("event time, milliseconds since 1970");
const digest = z.string().describe("the first twelve digits");

const trainingSchema = z.object({
  trainedAtMs: timeMs.describe("event time of the newest login it has seen"),
  startedFrom: digest.nullable().describe("digest of the epoch it went on from; null: from nothing"),
  backend: z.string(),
  decoder: z.string(),
  dimensions: z.number().describe("length of an embedding"),
  weights: z.string(),
  bases: z.number(),
  parameters: z.number().describe("numbers that were learnt"),
  entities: z.number(),
  links: z.number(),
  relations: z.number(),
  seed: z.number(),
  learningRate: z.number(),
  l2: z.number(),
  dropout: z.number(),
  halfLifeDays: z.number(),
  steps: z.number().describe("training steps it took"),
  losses: z
    .array(z.object({ step: z.number(), loss: z.number() }))
    .describe("on the links that are trained on; of many steps every so many-th, and the last"),
  heldOut: z.object({
    links: z.number().describe("the newest, which it was not trained on"),
    lossBefore: z.number().nullable(),
    lossAfter: z.number().nullable().describe("of the parameters that were kept"),
    auc: z.number().nullable().describe("how often such a link scores above a fake of it"),
    aucByFake: z.partialRecord(z.enum(FAKE_KINDS), z.number()),
  }),
});

export const epochSchema = z.object({
  number: z.number(),
  digest,
  state: z
    .enum(EPOCH_STATES)
    .describe(
      "shadow: scores beside the one in force; rejected: by the gate; rolledBack: taken back for the alerts it brought",
    ),
  adoptedAtMs: timeMs
    .nullable()
    .describe("when it came into force here; null if it did not, or before this process began"),
  rolledBack: z
    .object({ from: z.number(), to: z.number(), reason: z.string() })
    .nullable()
    .describe("of one that came back: which was taken back, which one this was before, and why"),
  training: trainingSchema
    .nullable()
    .describe("null for a rejected one that was trained elsewhere or before"),
  gate: z
    .object(gateVerdictSchema.shape)
    .nullable()
    .describe("how it compares with the one that was in force; null if nobody has looked"),
});

export const modelSchema = z.object({
  inForce: z.number().nullable().describe("number of the epoch that scores"),
  epochs: z.array(epochSchema).describe("those that this process knows, the newest first"),
});

export const mapSchema = z.object({
  epoch: z.object({ number: z.number(), digest }),
  entities: z.number().describe("users and hosts of the epoch, of which the points are a sample"),
  clusters: z.number().describe("by k-means on the directions of the embeddings"),
  points: z.array(
    z.object({
      kind: z.enum(ENTITY_KIND_NAMES),
      name: z.string(),
      x: z.number().describe("0 to 1, by UMAP: who is near is alike; how far apart others are says nothing"),
      y: z.number(),
      cluster: z.number().describe("from 0, the largest"),
      alerts: z.number().describe("now, on its links of the kind that has most"),
      logins: z.number(),
    }),
  ),
});

export const mapProgressSchema = z.object({
  progress: z.number().describe("share of the work that is done: ask again in a second"),
});
