/**
 * Loaded into a process that writes transactions (`node --import`): it sends itself a signal at one point, exactly there.
 *
 *   FAULT_IN_TRANSACTION="POINT COUNT SIGNAL"
 *
 * Points: `fenced`, a partition is being taken on; `written`, the records of a transaction are at the broker and it is open;
 * `committed`, it is committed, and the process does not live to know it. COUNT says the how manieth time.
 */
import { KafkajsProducer } from "../../src/log/kafka/kafkajs/producer.ts";
import { TransactionalSends } from "../../src/log/kafka/kafkajs/sends.ts";

const [point, count, signal] = (process.env["FAULT_IN_TRANSACTION"] ?? "").split(" ");
let times = 0;

async function reach(reached: string): Promise<void> {
  if (reached !== point || ++times !== Number(count)) return;
  await new Promise((resolve) => process.send!(reached, resolve));
  process.kill(process.pid, signal);
}

const { fence, transact } = KafkajsProducer.prototype;
KafkajsProducer.prototype.fence = async function () {
  await fence.call(this);
  await reach("fenced");
};
KafkajsProducer.prototype.transact = async function (records, position) {
  await transact.call(this, records, position);
  await reach("committed");
};
const { send } = TransactionalSends.prototype;
TransactionalSends.prototype.send = async function (plan, transactionalId, identity) {
  await send.call(this, plan, transactionalId, identity);
  await reach("written");
};
