/** A thread that decodes one epoch, and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { decodeEpoch, type Epoch, epochBuffers } from "./epoch.ts";

export type DecoderData = { readonly bytes: Uint8Array; readonly number: number };
export type DecoderMessage =
  | { readonly kind: "epoch"; readonly epoch: Epoch }
  | { readonly kind: "failed"; readonly message: string };

const say = (message: DecoderMessage, handedOver: ArrayBuffer[] = []): void =>
  parentPort!.postMessage(message, handedOver);
const { bytes, number } = workerData as DecoderData;
try {
  const epoch = decodeEpoch(bytes, number);
  say({ kind: "epoch", epoch }, epochBuffers(epoch));
} catch (error) {
  say({ kind: "failed", message: (error as Error).message });
}
