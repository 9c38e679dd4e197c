import { EpochReader } from "../../src/engine/epoch-records.ts";
import { PartitionMerging } from "../../src/engine/partition-merging.ts";
import { SharedGraph } from "../../src/engine/shared-graph.ts";
import { isSum } from "../../src/engine/stored-segments.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { decodeSegmentHeader } from "../../src/graph-state/segment.ts";
import { Broker } from "../../src/log/kafka/kafkajs/internals.ts";
import { TransactionalSends } from "../../src/log/kafka/kafkajs/sends.ts";
import type { KeyedRecord } from "../../src/log/port.ts";
import type { Death, FaultPoint } from "./worker-faults.ts";
import { wrap } from "./wrap.ts";

type BrokerMethods = {
  txnOffsetCommit(request: unknown): Promise<unknown>;
  endTxn(request: { readonly transactionResult: boolean }): Promise<unknown>;
};

let armed: Death | undefined;
let passes = 0;

/** Makes the worker kill itself, as `kill -9` would, where `death` says, or a message that comes later. */
export function armDeaths(death: Death | undefined): void {
  armed = death;
  process.on("message", (message) => {
    armed = message as Death;
    passes = 0;
  });
  // To listen is no reason to go on.
  process.channel?.unref();

  wrap(TransactionalSends.prototype, "send", async (send, ...args) => {
    passed("before-produce");
    await send(...args);
    passed("after-produce");
  });
  const broker = Broker.prototype as unknown as BrokerMethods;
  wrap(broker, "txnOffsetCommit", async (commit, request) => {
    const answer = await commit(request);
    passed("after-offsets");
    return answer;
  });
  let isSumWritten = false;
  wrap(broker, "endTxn", async (end, request) => {
    if (!request.transactionResult) return end(request);
    passed("before-commit");
    const answer = await end(request);
    passed("after-commit");
    if (isSumWritten) passed("after-sum");
    isSumWritten = false;
    return answer;
  });
  wrap(PartitionMerging.prototype, "write", (write, segments, partition) => {
    const records = write(segments, partition);
    const sums = records.filter(isPieceOfSum);
    // Its parts are still there after this commit: what deletes them comes with a later one.
    const isWhole = sums.some(({ value }) => decodeSegmentHeader(value!).isLast);
    if (isWhole && records.every(({ value }) => value !== null)) isSumWritten = true;
    if (sums.length > 0) passed("mid-merge");
    return records;
  });

  let isRestoring = false;
  wrap(SharedGraph.prototype, "restore", async (restore) => {
    isRestoring = true;
    await restore();
    isRestoring = false;
  });
  wrap(Graph.prototype, "addPart", (add, part) => {
    add(part);
    if (isRestoring) passed("mid-restore");
  });
  wrap(EpochReader.prototype, "read", (read, record) => {
    // Chunks first, the manifest last: whichever is to be read, the epoch is not adopted yet.
    passed("mid-adoption");
    read(record);
  });
}

function passed(point: FaultPoint): void {
  if (armed?.point !== point || ++passes < armed.pass) return;
  process.kill(process.pid, "SIGKILL");
}

function isPieceOfSum({ key, value }: KeyedRecord): boolean {
  return value !== null && isSum(key);
}
