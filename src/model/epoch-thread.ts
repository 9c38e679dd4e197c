import { Worker } from "node:worker_threads";
import { OddlinkError } from "../errors.ts";
import type { Epoch } from "./epoch.ts";
import type { DecoderData, DecoderMessage } from "./epoch-decoder.ts";

/** Type stripping runs the sources, the build runs what was compiled beside this file. */
const DECODER = new URL(`./epoch-decoder.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);

/**
 * Decodes an epoch in a worker thread: for one of 17,000 entities checking and reading takes some twenty milliseconds, for which
 * the event loop would score nothing.
 *
 * @param bytes a copy is handed over
 * @throws {OddlinkError} EPOCH_CORRUPT if the bytes are no epoch, or not the one its digest was made of
 */
export async function decodeInThread(bytes: Uint8Array, number: number): Promise<Epoch> {
  const data: DecoderData = { bytes, number };
  const worker = new Worker(DECODER, { workerData: data });
  const { promise, resolve, reject } = Promise.withResolvers<Epoch>();
  const fail = (message: string): void => reject(new OddlinkError("EPOCH_CORRUPT", message));
  worker.on("message", (message: DecoderMessage) => {
    if (message.kind === "epoch") resolve(message.epoch);
    else fail(message.message);
  });
  worker.on("error", (error) => fail(error instanceof Error ? error.message : String(error)));
  worker.on("exit", (code) => fail(`the thread that read epoch ${number} ended early (code ${code})`));
  try {
    return await promise;
  } finally {
    await worker.terminate();
  }
}
