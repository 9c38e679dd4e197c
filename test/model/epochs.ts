import type { DecoderName } from "../../src/model/decoders/decoder.ts";
import { buildEpoch, type Epoch, sealEpoch } from "../../src/model/epoch.ts";
import {
  PARAMETER_NAMES,
  parameterSizes,
  type RgcnParameters,
  type RgcnShape,
} from "../../src/model/rgcn.ts";
import type { TrainingInput } from "../../src/model/training/training-input.ts";
import { trainingOptionsSchema } from "../../src/model/training/training-options.ts";
import { twoCommunities } from "./graphs.ts";

const OPTIONS = trainingOptionsSchema.parse({ dimensions: 2, weights: "diagonal" });

/** An epoch that nobody has trained: cheap, whole, and the same bytes for the same arguments. */
export function untrainedEpoch(
  number: number,
  salt = 1,
  { graph, entityNames }: TrainingInput = twoCommunities({ users: 6, hosts: 6, links: 10 }),
  dimensions = 2,
  decoder: DecoderName = "distmult",
): Epoch {
  const shape: RgcnShape = {
    entities: graph.entityCount,
    relations: graph.relationNames.length,
    dimensions,
    weights: "diagonal",
    bases: 0,
    decoder,
  };
  const sizes = parameterSizes(shape);
  const parameters = Object.fromEntries(
    PARAMETER_NAMES.map((name) => [name, new Float32Array(sizes[name]).fill(0.5)]),
  ) as RgcnParameters;
  const embeddings = (): Float32Array =>
    Float32Array.from({ length: shape.entities * dimensions }, (_, i) => ((i * 31 + salt) % 9973) / 9973);
  return buildEpoch({
    number,
    trainedAtMs: 1,
    model: {
      backend: "untrained",
      shape,
      parameters,
      hidden: embeddings(),
      output: embeddings(),
      isWarm: false,
      losses: [1],
      heldOut: { links: 0, lossBefore: null, lossAfter: null, auc: null, aucByFake: {} },
    },
    graph,
    entityNames,
    options: { ...OPTIONS, dimensions },
  });
}

/** An epoch under which every link has about the same probability. */
export function flatEpoch(
  number: number,
  trainedAtMs: number,
  input: TrainingInput,
  probability: number,
): Epoch {
  const epoch = untrainedEpoch(number, number, input);
  const value = probability === 1 ? 1e6 : -1e6;
  const tail = {
    values: [value],
    survival: [probability],
    start: value,
    startSurvival: probability,
    scale: 1e12,
  };
  const calibration = Object.fromEntries(Object.keys(epoch.manifest.calibration).map((name) => [name, tail]));
  return sealEpoch({ ...epoch, manifest: { ...epoch.manifest, trainedAtMs, calibration } });
}
