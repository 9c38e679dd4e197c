import type { CreateBackend } from "./backend.ts";
import { createReferenceBackend } from "./reference.ts";
import { createSimdBackend } from "./simd/simd.ts";
import type { TfjsDevice } from "./tfjs/tensorflow.ts";
import { loadTfjsBackend } from "./tfjs/tfjs.ts";

/** Where training may happen, by the name that `training.backend` gives. */
export const BACKEND_NAMES = ["simd", "reference", "tfjs"] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/**
 * Loads what a back end takes.
 *
 * @param device for `tfjs`
 * @throws {OddlinkError} TRAINING_FAILED if it can't be had here
 */
export async function loadBackend(name: BackendName, device: TfjsDevice): Promise<CreateBackend> {
  switch (name) {
    case "simd":
      return createSimdBackend;
    case "reference":
      return createReferenceBackend;
    case "tfjs":
      return loadTfjsBackend(device);
  }
}
