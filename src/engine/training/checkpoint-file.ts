import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { deserialize, serialize } from "node:v8";
import type { TrainingOptions } from "../../model/training/training-options.ts";
import type { TrainingSnapshot } from "../../model/training/training-snapshot.ts";
import type { TrainingState } from "../../model/training/training-state.ts";

/** Which training it is: one that is the same goes on where the other was interrupted. */
export type TrainingIdentity = {
  readonly number: number;
  readonly options: TrainingOptions;
  /** Digest of the epoch that it begins with or is compared with. */
  readonly previous: string | null;
  readonly isWarm: boolean;
  readonly linkKinds: readonly string[];
};

export type SavedTraining = {
  readonly snapshot: TrainingSnapshot;
  /** Event time. */
  readonly trainedAtMs: number;
  readonly state: TrainingState;
};

/** A training that takes no longer than this is done anew sooner than it is noted how far it came. */
const SAVE_EVERY_MS = 5000;
const MAGIC = Buffer.from("ODDLINKT");
const DIGEST_BYTES = 32;

/**
 * The file in which a training notes from time to time how far it has come, with the graph as it was when it began: after a restart it goes on there,
 * on that graph, and comes to the same epoch as if nothing had happened. One training at a time.
 */
export class CheckpointFile {
  readonly #path: string;
  readonly #identity: string;
  readonly #everyMs: number;
  #savedMs = performance.now();
  #given: Buffer | undefined;

  constructor(path: string, { options, ...others }: TrainingIdentity, everyMs = SAVE_EVERY_MS) {
    this.#path = path;
    // Results do not depend on how many threads there are.
    const { threads: _threads, ...chosen } = options;
    this.#identity = JSON.stringify({ ...others, options: chosen });
    this.#everyMs = everyMs;
  }

  /**
   * The same training as it was interrupted; undefined if there is none. Whatever else the file holds is of no use any more, and goes.
   *
   * @param sinceMs event time: a training that began with an older graph is not worth its end
   */
  read(sinceMs: number): SavedTraining | undefined {
    try {
      const bytes = readFileSync(this.#path);
      const body = bytes.subarray(MAGIC.length + DIGEST_BYTES);
      const digest = bytes.subarray(MAGIC.length, MAGIC.length + DIGEST_BYTES);
      if (bytes.subarray(0, MAGIC.length).equals(MAGIC) && digestOf(body).equals(digest)) {
        const length = body.readUInt32LE(0);
        const given = deserialize(body.subarray(4, 4 + length)) as { readonly identity: string } & Pick<
          SavedTraining,
          "snapshot" | "trainedAtMs"
        >;
        if (given.identity === this.#identity && given.trainedAtMs >= sinceMs)
          return { ...given, state: deserialize(body.subarray(4 + length)) as TrainingState };
      }
    } catch {
      // Not there, or cut short: nothing to go on from.
    }
    rmSync(this.#path, { force: true });
    return undefined;
  }

  /** Whether it is time to note how far the training has come. */
  get isDue(): boolean {
    return performance.now() - this.#savedMs >= this.#everyMs;
  }

  /** @throws if it can't be written */
  save({ snapshot, trainedAtMs, state }: SavedTraining): void {
    this.#given ??= serialize({ identity: this.#identity, snapshot, trainedAtMs });
    const length = Buffer.alloc(4);
    length.writeUInt32LE(this.#given.length);
    const body = Buffer.concat([length, this.#given, serialize(state)]);
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, Buffer.concat([MAGIC, digestOf(body), body]), { mode: 0o600 });
    renameSync(temporary, this.#path);
    this.#savedMs = performance.now();
  }
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
