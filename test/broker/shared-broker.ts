import { after } from "node:test";
import type { BrokerOptions } from "./broker-configuration.ts";
import { type KafkaBroker, startBroker } from "./kafka-broker.ts";

/**
 * A broker that several tests share: it starts when the first of them asks for it, and is gone after the last.
 *
 * Called where tests are defined. Called inside a test, `after` would run at the end of that test.
 *
 * @param prepare what is done once, before the first test has it
 */
export function sharedBroker(
  options: BrokerOptions = {},
  prepare: (broker: KafkaBroker) => Promise<void> = async () => {},
): () => Promise<KafkaBroker> {
  const teardowns: (() => Promise<void>)[] = [];
  after(async () => {
    for (const teardown of teardowns) await teardown();
  });
  const start = async (): Promise<KafkaBroker> => {
    const broker = await startBroker({ after: (teardown) => teardowns.push(teardown) }, options);
    await prepare(broker);
    return broker;
  };
  let broker: Promise<KafkaBroker> | undefined;
  return () => (broker ??= start());
}
