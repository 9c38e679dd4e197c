import { freemem } from "node:os";
import { OddlinkError } from "../../errors.ts";
import type { BackendName } from "../backends/backends.ts";
import { parameterSizes, type RgcnShape } from "../rgcn.ts";

const MIB = 2 ** 20;
/** Bytes of a number: the reference back end is in double precision. */
const NUMBER_BYTES: Readonly<Record<BackendName, number>> = { simd: 4, tfjs: 4, reference: 8 };
/** Values, gradients and both of Adam's moments, and what is measured best. */
const COPIES_OF_PARAMETERS = 5;
/** Rows of an entity that stay for a pass: hidden, output, their gradients by slice, best. */
const ROWS_OF_ENTITY = 10;
/** Integers of a message in an index, while it is made; and in the lists of one link elsewhere: batches, folds, fakes. */
const INTEGERS_OF_MESSAGE = 10;
const INTEGERS_OF_LINK = 40;

/**
 * About how many bytes training takes: parameters with Adam's moments, activations, and the lists of messages for each graph that
 * they pass over. Rather too many than too few.
 *
 * @param graphs message graphs: the whole one and one for each fold
 */
export function trainingBytes(shape: RgcnShape, links: number, graphs: number, backend: BackendName): number {
  const { entities, relations, dimensions: d, bases } = shape;
  const parameters = Object.values(parameterSizes(shape)).reduce((sum, size) => sum + size, 0);
  const pairsMax = Math.min(2 * links, entities * 2 * relations);
  // What a layer multiplies has a row for each basis; of tfjs, which sums the bases one by one, so have the pairs.
  const layer = (1 + bases) * d * (entities + (backend === "tfjs" ? pairsMax : 0)) + pairsMax * d;
  const numbers = COPIES_OF_PARAMETERS * parameters + ROWS_OF_ENTITY * entities * d + 2 * layer;
  const integers = graphs * 2 * links * INTEGERS_OF_MESSAGE + links * INTEGERS_OF_LINK;
  return numbers * NUMBER_BYTES[backend] + integers * 4;
}

/** What this process can still have: of the machine, or of what the container is allowed. */
export function availableBytes(): number {
  return process.availableMemory?.() || freemem();
}

/**
 * Refuses a training that would not fit, before anything is allocated: what the system does instead is to end the process.
 *
 * @throws {OddlinkError} TRAINING_FAILED
 */
export function assertFits(neededBytes: number, shape: RgcnShape, links: number, bytesMax: number): void {
  if (neededBytes <= bytesMax) return;
  const { entities, dimensions, bases } = shape;
  const mib = (bytes: number): string => `${Math.ceil(bytes / MIB).toLocaleString("en-US")} MiB`;
  throw new OddlinkError(
    "TRAINING_FAILED",
    `training on ${links} links of ${entities} entities takes about ${mib(neededBytes)} with training.dimensions ${dimensions} ` +
      `and training.bases ${bases}, and ${mib(bytesMax)} are there: lower one of these, or window.maxLinks, or give it more memory`,
  );
}
