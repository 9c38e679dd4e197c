import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { z } from "zod";
import { OddlinkError } from "../errors.ts";
import { DECODER_NAMES } from "./decoders/decoder.ts";
import { linkScorer } from "./decoders/decoders.ts";
import { FEATURE_KIND, nodeFeatureSchema } from "./features/node-features.ts";
import { type GateVerdict, gateVerdictSchema } from "./gate/gate-verdict.ts";
import { linkClassOf } from "./relation-names.ts";
import {
  PARAMETER_NAMES,
  parameterSizes,
  RELATION_WEIGHTS,
  type RgcnParameters,
  type RgcnShape,
} from "./rgcn.ts";
import { fitTail, type Tail } from "./tail.ts";
import { type TopicModel, topicModelSchema } from "./topics/topic-model.ts";
import { FAKE_KINDS } from "./training/fake-sampler.ts";
import type { TrainedModel } from "./training/trainer.ts";
import type { TrainingGraph } from "./training/training-graph.ts";
import { type TrainingOptions, trainingOptionsSchema } from "./training/training-options.ts";

/** First bytes of an encoded epoch. */
const MAGIC = Buffer.from("ODDLINK1");
const HEADER_AT = MAGIC.length + 4;

const numbers = z.array(z.number());
const tailSchema = z.strictObject({
  values: numbers.max(1024),
  survival: numbers.max(1024),
  start: z.number(),
  startSurvival: z.number(),
  scale: z.number(),
});

/** What made the model what it is: how many threads there were did not; the back end is named above, the decoder in the shape. */
const optionsSchema = trainingOptionsSchema.omit({
  backend: true,
  device: true,
  threads: true,
  decoder: true,
});

/** What held for epochs that were stored before their manifest said so. */
const EARLIER_OPTIONS = {
  dropout: 0,
  features: false,
  topics: 0,
  warmSteps: 80,
  halfLifeDays: 0,
  negatives: { uniform: 0.5, degree: 0.5, degreeMatched: 0, sharedPeer: 0, swappedRelation: 0 },
};
const EARLIER_MANIFEST = {
  features: [],
  topics: null,
  startedFrom: null,
  gate: null,
  rolledBack: null,
  isChallenger: false,
  promotedAtMs: null,
};

const manifestSchema = z.strictObject({
  number: z.number().int().min(1),
  /** Event time of the newest login the epoch has seen. */
  trainedAtMs: z.number(),
  backend: z.string(),
  /** Digest of the epoch that the training went on from; null if it began from nothing. */
  startedFrom: z.string().nullable(),
  options: optionsSchema,
  shape: z.strictObject({
    entities: z.number().int().min(1).max(100_000_000),
    relations: z.number().int().min(1).max(100_000),
    dimensions: z.number().int().min(1).max(512),
    weights: z.enum(RELATION_WEIGHTS),
    bases: z.number().int().min(0).max(64),
    decoder: z.enum(DECODER_NAMES).default("distmult"),
  }),
  /** What is told of entities besides their links: each bin is a row, of kind `FEATURE_KIND`. */
  features: z.array(nodeFeatureSchema),
  /** What the types of links are grouped by; null if each is a relation of its own. */
  topics: topicModelSchema.nullable(),
  kindNames: z.array(z.string()),
  relationNames: z.array(z.string()),
  entityCount: z.number().int(),
  linkCount: z.number().int(),
  losses: numbers,
  heldOut: z.strictObject({
    links: z.number().int(),
    lossBefore: z.number().nullable(),
    lossAfter: z.number().nullable(),
    auc: z.number().nullable(),
    aucByFake: z.partialRecord(z.enum(FAKE_KINDS), z.number()).default({}),
  }),
  /** How it compares with the epoch that was in force; null if nobody has looked. */
  gate: gateVerdictSchema.nullable(),
  /** Of one that came back: which epoch was taken back, which one this was before, and why. */
  rolledBack: z.strictObject({ from: z.number().int(), to: z.number().int(), reason: z.string() }).nullable(),
  /** Whether it is to score in the shadow of the one in force; and the event time at which one that did came into force. */
  isChallenger: z.boolean(),
  promotedAtMs: z.number().nullable(),
  /** Distribution of -logit over the logins of the window, by link class. */
  calibration: z.record(z.string(), tailSchema),
  digest: z.string(),
});
export type EpochManifest = z.infer<typeof manifestSchema>;

/** One trained model: immutable, numbered, with a digest over everything in it. */
export type Epoch = {
  readonly manifest: EpochManifest;
  /** Kind (position in `kindNames`) and name of each row. */
  readonly entityKinds: Uint8Array;
  readonly entityNames: readonly string[];
  readonly parameters: RgcnParameters;
  /** entities x dimensions each. */
  readonly hidden: Float32Array;
  readonly output: Float32Array;
};

/**
 * Makes an epoch of a trained model, calibrated on the links of the window by how many logins each stands for.
 *
 * @throws {OddlinkError} TRAINING_FAILED if the model has diverged
 */
export function buildEpoch(input: {
  readonly number: number;
  readonly trainedAtMs: number;
  readonly model: TrainedModel;
  readonly graph: TrainingGraph;
  readonly entityNames: readonly string[];
  readonly options: TrainingOptions;
  readonly topics?: TopicModel | null;
  /** What the training was given to go on from. */
  readonly previous?: Epoch | undefined;
  readonly gate?: GateVerdict | undefined;
  readonly isChallenger?: boolean;
}): Epoch {
  const { model, graph } = input;
  const bins = graph.entityKind.filter((kind) => graph.kindNames[kind] === FEATURE_KIND).length;
  const manifest = {
    number: input.number,
    trainedAtMs: input.trainedAtMs,
    backend: model.backend,
    startedFrom: model.isWarm ? input.previous!.manifest.digest : null,
    options: optionsSchema.strip().parse(input.options),
    shape: model.shape,
    features: [...(graph.features?.bins ?? [])],
    topics: input.topics ?? null,
    kindNames: [...graph.kindNames],
    relationNames: [...graph.relationNames],
    entityCount: graph.entityCount - bins,
    linkCount: graph.linkFrom.length,
    losses: [...model.losses],
    heldOut: model.heldOut,
    gate: input.gate ?? null,
    rolledBack: null,
    isChallenger: input.isChallenger ?? false,
    promotedAtMs: null,
    calibration: calibrate(model, graph),
    digest: "",
  };
  const epoch = {
    manifest,
    entityKinds: graph.entityKind,
    entityNames: input.entityNames,
    parameters: model.parameters,
    hidden: model.hidden,
    output: model.output,
  };
  if (!isAllNumbers(epoch)) {
    throw new OddlinkError(
      "TRAINING_FAILED",
      "the trained model holds numbers that are none; a smaller learning rate may help",
    );
  }
  return sealEpoch(epoch);
}

/** An epoch that scored in the shadow as the one that comes into force at `promotedAtMs`, which is event time. */
export function promoted(challenger: Epoch, number: number, promotedAtMs: number): Epoch {
  const manifest = { ...challenger.manifest, number, isChallenger: false, promotedAtMs };
  return sealEpoch({ ...challenger, manifest });
}

/** Whether the gate let it pass, or was not asked. */
export function isAccepted({ manifest }: Epoch): boolean {
  return manifest.gate?.isAccepted !== false;
}

/** The same epoch with the digest of what is in it. */
export function sealEpoch(epoch: Epoch): Epoch {
  return { ...epoch, manifest: { ...epoch.manifest, digest: digestOf(epoch) } };
}

/** Fits the distribution of -logit for each link class, over all links of the graph by how many logins each stands for. */
export function calibrate(model: TrainedModel, graph: TrainingGraph): Record<string, Tail> {
  const score = linkScorer(model.shape, model);
  const byClass = new Map<string, { values: number[]; weights: number[] }>();
  for (let link = 0; link < graph.linkFrom.length; link++) {
    const relation = graph.linkRelation[link]!;
    const name = linkClassOf(graph.relationNames[relation]!);
    const logit = score(graph.linkFrom[link]!, relation, graph.linkTo[link]!);
    const list = byClass.get(name) ?? { values: [], weights: [] };
    list.values.push(-logit);
    list.weights.push(graph.linkCount[link]!);
    byClass.set(name, list);
  }
  return Object.fromEntries(
    [...byClass].map(([name, { values, weights }]) => [name, fitTail(values, weights)]),
  );
}

/** Bytes of an epoch: magic, length of the header, JSON header, little-endian arrays. */
export function encodeEpoch(epoch: Epoch): Buffer {
  const header = Buffer.from(
    JSON.stringify({ manifest: asStored(epoch.manifest), entityNames: epoch.entityNames }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([MAGIC, length, header, epoch.entityKinds, ...arraysOf(epoch).map(bytesOf)]);
}

/** @throws {OddlinkError} EPOCH_CORRUPT if the bytes are no epoch, or not the one its digest was made of */
export function decodeEpoch(encoded: Uint8Array, number?: number): Epoch {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  try {
    if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error("it does not begin like one");
    const headerEnd = HEADER_AT + bytes.readUInt32LE(MAGIC.length);
    const header: unknown = JSON.parse(bytes.toString("utf8", HEADER_AT, headerEnd));
    const { manifest: stored, entityNames } = z
      .strictObject({ manifest: z.record(z.string(), z.unknown()), entityNames: z.array(z.string()) })
      .parse(header);
    const manifest = manifestSchema.parse({
      ...EARLIER_MANIFEST,
      ...stored,
      options: { ...EARLIER_OPTIONS, ...(stored["options"] as object) },
    });
    const shape: RgcnShape = manifest.shape;
    let at = headerEnd;
    const take = (count: number): Uint8Array => {
      if (at + count > bytes.length) throw new Error("it is cut short");
      at += count;
      return bytes.subarray(at - count, at);
    };
    // A copy, because a Float32Array needs its bytes aligned.
    const floats = (count: number): Float32Array => new Float32Array(Uint8Array.from(take(count * 4)).buffer);
    const entityKinds = Uint8Array.from(take(shape.entities));
    const sizes = parameterSizes(shape);
    const parameters = Object.fromEntries(
      PARAMETER_NAMES.map((name) => [name, floats(sizes[name])]),
    ) as RgcnParameters;
    const hidden = floats(shape.entities * shape.dimensions);
    const output = floats(shape.entities * shape.dimensions);
    if (at !== bytes.length || entityNames.length !== shape.entities)
      throw new Error("its parts do not fit together");
    const epoch: Epoch = { manifest, entityKinds, entityNames, parameters, hidden, output };
    if (digestOf(epoch, stored) !== manifest.digest) throw new Error("its digest does not match");
    if (!isAllNumbers(epoch)) throw new Error("it holds numbers that are none");
    return epoch;
  } catch (error) {
    const which = number === undefined ? "a stored epoch" : `the stored epoch ${number}`;
    throw new OddlinkError("EPOCH_CORRUPT", `${which} can't be used: ${shortReason(error)}`, {
      cause: error,
    });
  }
}

/** Why something could not be read, in a few words: of many things that are wrong, the first. */
export function shortReason(error: unknown): string {
  const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
  return issue === undefined ? (error as Error).message : `${issue.path.join(".")}: ${issue.message}`;
}

/** Without what says that something that could be chosen was not: epochs were the same bytes before it could be. */
function asStored(manifest: EpochManifest): object {
  const { features, topics, ...others } = manifest;
  const { decoder, ...shape } = manifest.shape;
  const { dropout, features: hasFeatures, topics: topicCount, ...options } = manifest.options;
  return {
    ...others,
    ...(features.length > 0 ? { features } : {}),
    ...(topics !== null ? { topics } : {}),
    options: {
      ...options,
      ...(dropout > 0 ? { dropout } : {}),
      ...(hasFeatures ? { features: hasFeatures } : {}),
      ...(topicCount > 0 ? { topics: topicCount } : {}),
    },
    shape: decoder === "distmult" ? shape : manifest.shape,
  };
}

/** Over everything but the digest itself. `manifest`: as it is stored, where it has less in it than it would have today. */
function digestOf(epoch: Epoch, manifest: object = asStored(epoch.manifest)): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify({ manifest: { ...manifest, digest: "" }, entityNames: epoch.entityNames }));
  hash.update(epoch.entityKinds);
  for (const array of arraysOf(epoch)) hash.update(bytesOf(array));
  return hash.digest("hex");
}

/** The memory of an epoch's arrays, to be handed to another thread. */
export function epochBuffers(epoch: Epoch): ArrayBuffer[] {
  const buffers = [epoch.entityKinds, ...arraysOf(epoch)].map(({ buffer }) => buffer as ArrayBuffer);
  return [...new Set(buffers)];
}

function arraysOf(epoch: Epoch): Float32Array[] {
  return [...PARAMETER_NAMES.map((name) => epoch.parameters[name]), epoch.hidden, epoch.output];
}

function isAllNumbers(epoch: Epoch): boolean {
  // A sum of zeros, unless one of the numbers is none: millions of calls would hold the event loop up.
  return arraysOf(epoch).every((array) => {
    let zero = 0;
    for (let i = 0; i < array.length; i++) zero += array[i]! * 0;
    return zero === 0;
  });
}

function bytesOf(array: Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
