import type { Buffer } from "node:buffer";
import { createGunzip } from "node:zlib";
import { OddlinkError } from "../errors.ts";

/** First bytes of a gzip file. */
export function isGzip(start: Buffer): boolean {
  return start.length >= 2 && start[0] === 0x1f && start[1] === 0x8b;
}

/**
 * Decompresses a stream chunk by chunk.
 *
 * A pipe would lose what is still buffered when the end turns out to be missing; here everything up to it has been handed
 * out before the error is thrown. Where data is damaged, what the same chunk gave before the damage is lost. Either way the
 * same file always gives the same records.
 *
 * @throws {OddlinkError} SOURCE_TRUNCATED if the file ends early, SOURCE_UNREADABLE if it is damaged
 */
export async function* gunzip(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const stream = createGunzip({ chunkSize: 256 * 1024 });
  let output: Buffer[] = [];
  let failure: (Error & { code?: string }) | undefined;
  stream.on("data", (chunk: Buffer) => output.push(chunk));
  stream.on("error", (error) => (failure = error));
  const closed = new Promise<void>((resolve) => stream.once("close", resolve));
  try {
    for await (const chunk of chunks) {
      await Promise.race([new Promise((resolve) => stream.write(chunk, resolve)), closed]);
      yield* take();
      if (failure !== undefined) throw damaged(failure, name);
    }
    stream.end();
    await closed;
    yield* take();
    if (failure !== undefined) throw damaged(failure, name);
  } finally {
    stream.destroy();
  }

  function take(): Buffer[] {
    const taken = output;
    output = [];
    return taken;
  }
}

function damaged(error: Error & { code?: string }, name: string): OddlinkError {
  if (error.code === "Z_BUF_ERROR") {
    return new OddlinkError(
      "SOURCE_TRUNCATED",
      `${name} ends in the middle of its gzip data. What came before was read and kept; fetch the whole file and run again.`,
      { cause: error },
    );
  }
  return new OddlinkError("SOURCE_UNREADABLE", `${name} is damaged gzip data: ${error.message}`, {
    cause: error,
  });
}
