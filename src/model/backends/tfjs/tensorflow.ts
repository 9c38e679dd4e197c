import util from "node:util";
import type * as TensorFlow from "@tensorflow/tfjs-core";
import { OddlinkError } from "../../../errors.ts";

export type { TensorFlow };

/** What TensorFlow.js is to run on: CUDA, its native library on the CPU, or JavaScript alone. */
export const TFJS_DEVICES = ["gpu", "cpu", "js"] as const;
export type TfjsDevice = (typeof TFJS_DEVICES)[number];

/** By device: packages that are to be there, the first of which has the operations, and the name of what they run on. */
const PACKAGES: Readonly<
  Record<TfjsDevice, { readonly packages: readonly string[]; readonly runsOn: string }>
> = {
  gpu: { packages: ["@tensorflow/tfjs-node-gpu"], runsOn: "tensorflow" },
  cpu: { packages: ["@tensorflow/tfjs-node"], runsOn: "tensorflow" },
  js: { packages: ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-cpu"], runsOn: "cpu" },
};

/** What the native packages say of themselves, beside the operations. */
type NativeBackend = { readonly isUsingGpuDevice?: boolean };

/**
 * Loads TensorFlow.js for a device, which is an optional dependency.
 *
 * @throws {OddlinkError} TRAINING_FAILED if it is not installed, can't be loaded, or does not run on that device
 */
export async function loadTensorFlow(device: TfjsDevice): Promise<typeof TensorFlow> {
  const { packages, runsOn } = PACKAGES[device];
  mendUtil();
  const loaded: (typeof TensorFlow & { default?: typeof TensorFlow })[] = [];
  try {
    for (const name of packages) loaded.push(await import(name));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
    throw refused(
      device,
      isMissing ? `npm install ${packages.join(" ")} gives it` : (error as Error).message.split("\n", 1)[0]!,
      error,
    );
  }
  const tf = loaded[0]!.default ?? loaded[0]!;
  // Or it advises whoever runs it to install another package, on every start.
  tf.enableProdMode();
  // False, or another one in its place, is all that it says when a device can't be had.
  if (!(await tf.setBackend(runsOn)) || tf.getBackend() !== runsOn)
    throw refused(device, `TensorFlow.js runs on ${tf.getBackend()} instead`);
  if (device === "gpu" && (tf.backend() as NativeBackend).isUsingGpuDevice !== true)
    throw refused(
      device,
      "TensorFlow.js is there, but it sees no GPU: look at its driver and CUDA libraries",
    );
  return tf;
}

function refused(device: TfjsDevice, why: string, cause?: unknown): OddlinkError {
  return new OddlinkError("TRAINING_FAILED", `training.device ${device} can't be used: ${why}`, { cause });
}

/** The native packages call what Node has had no more since version 23. */
function mendUtil(): void {
  const old = util as unknown as Record<string, unknown>;
  old["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  old["isArray"] ??= Array.isArray;
}
