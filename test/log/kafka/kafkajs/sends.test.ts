import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import type { InternalCluster } from "../../../../src/log/kafka/kafkajs/internals.ts";
import { TransactionalSends } from "../../../../src/log/kafka/kafkajs/sends.ts";

type Sent = { readonly broker: number; readonly partition: number; readonly sequence: number };
const NOT_LEADER = 6;
const MESSAGE_TOO_LARGE = 10;
const identity = { producerId: "1", producerEpoch: 0 };

/** Two partitions led by brokers that answer what they are told to. */
function fakeBrokers(answer: (sent: Sent) => number | Promise<number>) {
  const sent: Sent[] = [];
  const leaders = [1, 2];
  const brokerOf = (broker: number) => ({
    lookupRequest: () => (request: object) => ({ request, response: {} }),
    connectionPool: {
      send: async ({ request }: { request: { topicData: { partitions: object[] }[] } }) => {
        const asked = request.topicData.flatMap(({ partitions }) => partitions) as {
          partition: number;
          firstSequence: number;
        }[];
        const partitions = asked.map(async ({ partition, firstSequence: sequence }) => {
          sent.push({ broker, partition, sequence });
          return { partition, errorCode: await answer({ broker, partition, sequence }) };
        });
        return { topics: [{ topicName: "t", partitions: await Promise.all(partitions) }] };
      },
    },
  });
  const cluster = {
    addTargetTopic: async () => {},
    connect: async () => {},
    refreshMetadata: async () => {},
    findTopicPartitionMetadata: () => leaders.map((leader, partitionId) => ({ partitionId, leader })),
    findBroker: async ({ nodeId }: { nodeId: number }) => brokerOf(nodeId),
    removeBroker: () => {},
  };
  const sends = new TransactionalSends(cluster as unknown as InternalCluster, "none", 1000, Date.now);
  const write = async (...partitions: number[]): Promise<void> => {
    const plan = await sends.plan(
      partitions.map((partition) => ({ topic: "t", partition, key: null, value: "v" })),
    );
    await sends.send(plan, "id", identity);
  };
  return { sent, leaders, write };
}

test("records are sent once each, though one broker is to be asked again while another one is slow", async () => {
  let isFirst = true;
  const { sent, write } = fakeBrokers(async ({ broker }) => {
    if (broker === 2) await sleep(50);
    else if (isFirst) {
      isFirst = false;
      return NOT_LEADER;
    }
    return 0;
  });
  await write(0, 1);
  await write(0, 1);
  assert.deepEqual(
    sent.map(({ broker, partition, sequence }) => [broker, partition, sequence]),
    [
      [1, 0, 0],
      [2, 1, 0],
      [1, 0, 0],
      [1, 0, 1],
      [2, 1, 1],
    ],
  );
});

test("records are sent to a new leader that has answered for another partition before", async () => {
  const { sent, leaders, write } = fakeBrokers(({ broker }) => {
    if (broker === 1) return 0;
    leaders[1] = 1;
    return NOT_LEADER;
  });
  await write(0, 1);
  assert.deepEqual(sent.at(-1), { broker: 1, partition: 1, sequence: 0 });
  assert.equal(sent.length, 3);
});

test("what was written keeps its numbers when another partition refuses", async () => {
  let isRefused = true;
  const { sent, write } = fakeBrokers(({ partition }) =>
    partition === 1 && isRefused ? MESSAGE_TOO_LARGE : 0,
  );
  await assert.rejects(write(0, 1), { isCertain: true });
  isRefused = false;
  sent.length = 0;
  await write(0, 1);
  assert.deepEqual(
    sent.map(({ partition, sequence }) => [partition, sequence]),
    [
      [0, 1],
      [1, 0],
    ],
  );
});

test("what was written is not known when an answer is missing in the end", async () => {
  let attempts = 0;
  const { write } = fakeBrokers(({ partition }) => {
    if (partition === 1) return MESSAGE_TOO_LARGE;
    attempts++;
    throw new kafkajs.KafkaJSConnectionError("cut");
  });
  await assert.rejects(write(0, 1), { isCertain: false });
  assert.equal(attempts, 1);
});
