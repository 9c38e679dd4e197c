import { z } from "zod";
import { BACKEND_NAMES } from "../backends/backends.ts";
import { TFJS_DEVICES } from "../backends/tfjs/tensorflow.ts";
import { DECODER_NAMES } from "../decoders/decoder.ts";
import { RELATION_WEIGHTS } from "../rgcn.ts";
import { negativesSchema } from "./fake-sampler.ts";

/** Threads that share a step; more would have nothing to do. */
export const THREADS_MAX = 4;

/** What is wrong with options whose dimensions the decoder can't read. */
export const ODD_DIMENSIONS =
  "training.decoder complex and rotate need an even number of training.dimensions";

export const trainingOptionsSchema = z.strictObject({
  backend: z
    .enum(BACKEND_NAMES)
    .default("simd")
    .describe(
      "where the arithmetic happens: simd, compiled kernels on the CPU; tfjs, TensorFlow.js, for a GPU; reference, the readable one, far slower",
    ),
  device: z
    .enum(TFJS_DEVICES)
    .default("gpu")
    .describe(
      "what tfjs runs on, and nothing else: gpu takes the package @tensorflow/tfjs-node-gpu, cpu @tensorflow/tfjs-node, js @tensorflow/tfjs-core and @tensorflow/tfjs-backend-cpu",
    ),
  threads: z
    .number()
    .int()
    .min(1)
    .max(THREADS_MAX)
    .optional()
    .describe(
      "cores that a training step may use with simd; all but one if left out. Results do not depend on it",
    ),
  dimensions: z.number().int().min(2).max(512).default(32).describe("length of an embedding"),
  weights: z
    .enum(RELATION_WEIGHTS)
    .default("basis")
    .describe("relation matrices: shared bases, or one diagonal each"),
  bases: z.number().int().min(1).max(64).default(8).describe("number of shared bases"),
  decoder: z
    .enum(DECODER_NAMES)
    .default("distmult")
    .describe(
      "what a link's likelihood is made of: distmult, the same in both directions; complex, transe and rotate tell who logs in where; complex and rotate take dimensions in pairs",
    ),
  dropout: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe("share of each layer's outputs that a training step drops"),
  features: z
    .boolean()
    .default(false)
    .describe(
      "whether an entity's degrees, counts, age and shares of weak and failed logins, cut at their quantiles, are told to the model too",
    ),
  topics: z
    .number()
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe(
      "types of links are grouped into so many topics by how they are spelt, where there are more types; 0: each type is a relation of its own",
    ),
  steps: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(80)
    .describe("most training steps of an epoch that begins from nothing"),
  warmSteps: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(20)
    .describe("most training steps of an epoch that goes on from the one before"),
  learningRate: z.number().positive().max(1).default(0.02).describe("Adam's learning rate"),
  l2: z.number().min(0).max(10).default(0.1).describe("weight of the squared embeddings in the loss"),
  halfLifeDays: z
    .number()
    .min(0)
    .max(3650)
    .default(14)
    .describe("days after which a link that is silent counts half in training; 0: age does not matter"),
  heldOutShare: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.1)
    .describe("share of the links, the newest, that is not trained on but measured"),
  negatives: negativesSchema.prefault({}),
  seed: z.number().int().min(0).max(0xffffffff).default(1),
});
export type TrainingOptions = z.infer<typeof trainingOptionsSchema>;
