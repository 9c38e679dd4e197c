import type { Merging } from "../../src/engine/segment-merging.ts";
import type { Log } from "../../src/log/port.ts";
import { wrapLog } from "./wrapped.ts";

/** What a kill can fall into that is more than waiting for the next record. */
export type Work = "restore" | "merge" | "commit";

/** Watches from outside, between engine and log, what a worker is in the middle of. */
export class WorkInProgress {
  #restores = 0;
  #commits = 0;
  readonly #merging = new Set<number>();
  readonly #onBegin: (work: Work) => void;

  /** @param onBegin told of each piece of work as it begins */
  constructor(onBegin: (work: Work) => void) {
    this.#onBegin = onBegin;
  }

  /** What is being done right now. */
  get current(): Work[] {
    const works: Work[] = [];
    if (this.#restores > 0) works.push("restore");
    if (this.#merging.size > 0) works.push("merge");
    if (this.#commits > 0) works.push("commit");
    return works;
  }

  watchLog(log: Log): Log {
    return wrapLog(log, {
      follow: (topic, onRecord) => {
        const follower = log.follow(topic, onRecord);
        if (topic !== "graph-state") return follower;
        this.#restores++;
        this.#onBegin("restore");
        return {
          caughtUp: () => follower.caughtUp().finally(() => this.#restores--),
          close: () => follower.close(),
        };
      },
      readBack: (topic, partition) => {
        this.#merging.add(partition);
        this.#onBegin("merge");
        return log.readBack(topic, partition);
      },
      commit: (commit) => {
        this.#commits++;
        this.#onBegin("commit");
        return log.commit(commit).finally(() => this.#commits--);
      },
    });
  }

  /** A merge begins with reading back, and is over with the first deletions of what its sum covers. */
  watchMerging(merging: Merging): Merging {
    return {
      mergeCount: 0,
      write: (segments, partition) => {
        const records = [...merging.write(segments, partition)];
        if (records.some(({ value }) => value === null)) this.#merging.delete(partition);
        return records;
      },
      forget: (partition) => {
        this.#merging.delete(partition);
        merging.forget(partition);
      },
    };
  }
}
