import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VirtualTime } from "../../src/log/simulated/virtual-time.ts";

describe("virtual time", () => {
  test("events run in the order of their time, and of their scheduling where that is the same", async () => {
    const time = new VirtualTime(1000);
    const order: string[] = [];
    time.schedule(20, () => order.push("c"));
    time.schedule(10, () => order.push("a"));
    time.schedule(10, () => order.push("b"));
    const cancelled = time.schedule(15, () => order.push("never"));
    time.cancel(cancelled);
    await time.run(50);
    assert.deepEqual(order, ["a", "b", "c"]);
    assert.equal(time.now(), 1050);
    assert.equal(time.eventCount, 3);
  });

  test("all that an event sets off in promises and ticks is done before the next event", async () => {
    const time = new VirtualTime(0);
    const order: string[] = [];
    const chain = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) await null;
      await new Promise<void>((resolve) => process.nextTick(resolve));
      await Promise.all([null, Promise.resolve().then(() => {})]);
      order.push("chain");
    };
    time.schedule(1, () => void chain());
    time.schedule(1, () => order.push("next"));
    await time.run(2);
    assert.deepEqual(order, ["chain", "next"]);
  });

  test("a sleep ends in time, or as its signal is aborted", async () => {
    const time = new VirtualTime(0);
    const abort = new AbortController();
    time.schedule(30, () => abort.abort());
    await time.settle(time.sleep(10));
    assert.equal(time.now(), 10);
    await time.settle(time.sleep(1000, abort.signal));
    assert.equal(time.now(), 30);
    await time.settle(time.sleep(1000, abort.signal));
    assert.equal(time.now(), 30);
  });

  test("a promise that nothing settles is an error, and so is what an event throws", async () => {
    const time = new VirtualTime(0);
    await assert.rejects(time.settle(new Promise(() => {}), 100), /not settled within 100 ms/);
    time.schedule(1, () => {
      throw new Error("broken");
    });
    await assert.rejects(time.run(10), /broken/);
  });
});
