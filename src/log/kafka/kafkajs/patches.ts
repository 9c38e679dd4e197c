import kafkajs, { type CompressionTypes } from "kafkajs";
import { type Codec, type CodecName, createCodecs } from "./codecs.ts";
import { decodeFetchResponse } from "./fetch.ts";
import {
  Broker,
  Cluster,
  Connection,
  ConsumerGroup,
  fetchRequests,
  fetchResponse11,
  type KafkajsError,
  Lock,
  OffsetManager,
  READ_UNCOMMITTED,
  RequestQueue,
} from "./internals.ts";
import { isDenied, isTlsRefused } from "./kafka-errors.ts";

/** How often kafkajs looks at requests that wait for others to be answered, in milliseconds; its own constant. */
const PENDING_CHECK_MS = 10;
const FETCH_VERSION = 11;
const NO_GENERATION = -1;

export const COMPRESSION_TYPES: Readonly<Record<CodecName | "none", CompressionTypes>> = {
  none: kafkajs.CompressionTypes.None,
  gzip: kafkajs.CompressionTypes.GZIP,
  snappy: kafkajs.CompressionTypes.Snappy,
  lz4: kafkajs.CompressionTypes.LZ4,
  zstd: kafkajs.CompressionTypes.ZSTD,
};

let isPatched = false;

/** Mends kafkajs for the whole process, once. Each patch says what happens without it. */
export function patchKafkajs(): void {
  if (isPatched) return;
  isPatched = true;
  registerCodecs();
  restTheRequestQueue();
  listOffsetsUpToTheHighWatermark();
  decodeFetchesOurselves();
  dropConnectionsThatDoNotAnswer();
  healWhatWaitingHeals();
  sayWhoMayNotFindCoordinators();
  giveUpOnCertificates();
  leaveTheGroupWhereItIs();
  finishBeforeJoining();
  joinAgainAfterALostAnswer();
}

/** kafkajs knows gzip only, and decompresses it without a bound. */
function registerCodecs(): void {
  const registered: Record<number, () => Codec> = kafkajs.CompressionCodecs;
  for (const [name, codec] of Object.entries(createCodecs())) {
    registered[COMPRESSION_TYPES[name as CodecName]] = () => codec;
  }
}

/** Where nothing is throttled, kafkajs arms a timer for a time long past, again and again, a thousand times a second. */
function restTheRequestQueue(): void {
  RequestQueue.prototype.scheduleCheckPendingRequests = function () {
    const throttledMs = this.throttledUntil - Date.now();
    const isIdle = throttledMs <= 0 && this.pending.length === 0;
    if (this.throttleCheckTimeoutId !== null || isIdle) return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledMs > 0 ? throttledMs : PENDING_CHECK_MS,
    );
  };
}

/** The end of a topic as kafkajs asks for it is where the first open transaction begins. */
function listOffsetsUpToTheHighWatermark(): void {
  const { listOffsets } = Broker.prototype;
  Broker.prototype.listOffsets = function (request) {
    return listOffsets.call(this, { ...request, isolationLevel: request.isolationLevel ?? READ_UNCOMMITTED });
  };
}

function decodeFetchesOurselves(): void {
  fetchResponse11.decode = decodeFetchResponse;
  const { protocol } = fetchRequests;
  fetchRequests.protocol = ({ version }) => {
    if (Number(version) !== FETCH_VERSION) throw new Error("the broker is older than Kafka 2.3");
    return protocol({ version });
  };
}

/**
 * After a request that got no answer in time kafkajs goes on with the same connection. If a cable was cut or a machine
 * lost, that connection is dead and nobody will ever say so.
 */
function dropConnectionsThatDoNotAnswer(): void {
  const { send } = Connection.prototype;
  Connection.prototype.send = async function (...request) {
    try {
      return await send.apply(this, request);
    } catch (error) {
      if ((error as Error).name === "KafkaJSRequestTimeoutError") {
        this.rejectRequests(error as KafkajsError);
        await this.disconnect();
      }
      throw error;
    }
  };
}

/**
 * What does not come by its lock in time, while no broker answers, kafkajs takes for final: its consumers end and do not
 * come back with the broker.
 */
function healWhatWaitingHeals(): void {
  const retriable = (method: (...args: unknown[]) => Promise<unknown>, name: string) =>
    async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      try {
        return await method.apply(this, args);
      } catch (error) {
        if ((error as Error).name === name) Object.assign(error as KafkajsError, { retriable: true });
        throw error;
      }
    };
  Lock.prototype.acquire = retriable(Lock.prototype.acquire, "KafkaJSLockTimeout");
}

/**
 * kafkajs asks every broker who coordinates a group or a transactional id, and says that nobody does, whatever they
 * answered. Where they refuse because of who asks, that is to be known; everything else waiting may heal.
 */
function sayWhoMayNotFindCoordinators(): void {
  const { findGroupCoordinatorMetadata } = Cluster.prototype;
  Cluster.prototype.findGroupCoordinatorMetadata = async function (request) {
    try {
      return await findGroupCoordinatorMetadata.call(this, request);
    } catch (error) {
      if ((error as Error).name !== "KafkaJSGroupCoordinatorNotFound") throw error;
      let denial: unknown;
      const again = this.brokerPool.withBroker(async ({ broker }) => {
        await broker.findGroupCoordinator(request).catch((refusal: unknown) => {
          if (isDenied(refusal)) denial = refusal;
        });
      });
      await again.catch(() => {});
      throw denial ?? Object.assign(error as KafkajsError, { retriable: true });
    }
  };
}

/** A certificate that one side does not take will not be taken a moment later, though kafkajs tries forty times. */
function giveUpOnCertificates(): void {
  const { rejectRequests } = Connection.prototype;
  Connection.prototype.rejectRequests = function (error) {
    if (isTlsRefused(error)) Object.assign(error, { retriable: false });
    rejectRequests.call(this, error);
  };
}

/**
 * Where the group's position lies outside of what the topic still holds, kafkajs commits another position (-2) for the
 * group, outside any transaction. Here the member reads on from the log start, and the position stays what it was.
 */
function leaveTheGroupWhereItIs(): void {
  OffsetManager.prototype.setDefaultOffset = async function ({ topic, partition }) {
    const { fromBeginning } = this.topicConfigurations[topic]!;
    const asked = [{ topic, partitions: [{ partition }], fromBeginning }];
    const [found] = await this.cluster.fetchTopicsOffset(asked);
    this.resolvedOffsets[topic]![partition] = found!.partitions[0]!.offset;
  };
}

/** What members of groups have to finish before they join again, by member id. */
const unfinished = new Map<string, Promise<void>>();

/** Has a member that was just told to join again wait until this is done. */
export function joinAfter(memberId: string, finished: Promise<void>): void {
  unfinished.set(memberId, finished);
}

/** As soon as kafkajs hears that partitions are given out anew it gives its own up, whatever is under way with them. */
function finishBeforeJoining(): void {
  const { joinAndSync } = ConsumerGroup.prototype;
  ConsumerGroup.prototype.joinAndSync = async function () {
    const { memberId } = this;
    if (typeof memberId === "string") {
      await unfinished.get(memberId);
      unfinished.delete(memberId);
    }
    return joinAndSync.call(this);
  };
}

/**
 * Where the answer that tells a member its partitions is lost, kafkajs goes on with those it had before, and tells nobody: the
 * group believes that the member has joined, and takes its heartbeats. Without a generation the next one is refused, and it
 * joins again.
 */
function joinAgainAfterALostAnswer(): void {
  const { joinAndSync } = ConsumerGroup.prototype;
  ConsumerGroup.prototype.joinAndSync = async function () {
    try {
      await joinAndSync.call(this);
    } catch (error) {
      this.generationId = NO_GENERATION;
      throw error;
    }
  };
}
