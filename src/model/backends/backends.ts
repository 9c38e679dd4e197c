import type { CreateBackend } from "./backend.ts";
import { createReferenceBackend } from "./reference.ts";
import { createSimdBackend } from "./simd/simd.ts";

export const BACKEND_NAMES = ["simd", "reference"] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** Where training may happen, by the name that `training.backend` gives. */
export const BACKENDS: Readonly<Record<BackendName, CreateBackend>> = {
  simd: createSimdBackend,
  reference: createReferenceBackend,
};
