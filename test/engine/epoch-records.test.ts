import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import {
  EPOCHS_KEPT,
  EpochReader,
  epochRecords,
  type RejectedEpoch,
} from "../../src/engine/epoch-records.ts";
import { OddlinkError } from "../../src/errors.ts";
import type { KeyedRecord } from "../../src/log/port.ts";
import { type Epoch, promoted, sealEpoch } from "../../src/model/epoch.ts";
import { decodeInThread } from "../../src/model/epoch-thread.ts";
import { uncompared } from "../../src/model/gate/gate-verdict.ts";
import { untrainedEpoch } from "../model/epochs.ts";
import { twoCommunities } from "../model/graphs.ts";

/** An epoch of three chunks. */
function largeEpoch(number: number, salt = 1): Epoch {
  const input = twoCommunities({ users: 400, hosts: 400, links: 2000 });
  return untrainedEpoch(number, salt, input, 200);
}

/** A reader of a log, and what it was told. */
function readerOf(records: readonly KeyedRecord[]) {
  const adopted: Epoch[] = [];
  const reasons: string[] = [];
  const reader = new EpochReader({
    onEpoch: (epoch) => adopted.push(epoch),
    onUnusable: (error) => {
      assert.ok(error instanceof OddlinkError, String(error));
      assert.match(error.code, /^EPOCH_/);
      reasons.push(error.message);
    },
  });
  for (const record of records) reader.read(record);
  return { reader, adopted, reasons };
}

/** What is adopted and said when `damaged` comes after a good epoch 1 and before a good epoch 3. */
function afterAndBefore(damaged: readonly KeyedRecord[]) {
  const { reader, adopted, reasons } = readerOf([...epochRecords(untrainedEpoch(1)), ...damaged]);
  const numbers = adopted.map(({ manifest }) => manifest.number);
  for (const record of epochRecords(untrainedEpoch(3))) reader.read(record);
  assert.equal(reader.newest?.number, 3, "an epoch that is whole is adopted all the same");
  return { numbers, reasons };
}

const isManifest = ({ key }: KeyedRecord): boolean => key.endsWith("/manifest");
const chunksOf = (epoch: Epoch): KeyedRecord[] => epochRecords(epoch).filter((record) => !isManifest(record));
const manifestOf = (epoch: Epoch): KeyedRecord => epochRecords(epoch).find(isManifest)!;
const withValue = (record: KeyedRecord, value: Uint8Array): KeyedRecord => ({ ...record, value });

test("an epoch of several chunks is put together, and is the one that was written", () => {
  const epoch = largeEpoch(2);
  assert.equal(chunksOf(epoch).length, 3);
  const { adopted, reasons } = readerOf([...epochRecords(untrainedEpoch(1)), ...epochRecords(epoch)]);
  assert.deepEqual(reasons, []);
  assert.deepEqual(adopted[1], epoch);
});

test("a cut chunk keeps the epoch before and is reported", () => {
  const damaged = epochRecords(largeEpoch(2)).map((record, i) =>
    i === 1 ? withValue(record, record.value!.subarray(0, 1000)) : record,
  );
  const { numbers, reasons } = afterAndBefore(damaged);
  assert.deepEqual(numbers, [1]);
  assert.match(reasons[0]!, /^epoch 2 has \d+ bytes, its manifest says \d+$/);
});

test("a manifest that says another size keeps the epoch before and is reported", () => {
  const epoch = untrainedEpoch(2);
  const said = JSON.parse(Buffer.from(manifestOf(epoch).value!).toString());
  const wrong = Buffer.from(JSON.stringify({ ...said, bytes: said.bytes + 1 }));
  const { numbers, reasons } = afterAndBefore([...chunksOf(epoch), withValue(manifestOf(epoch), wrong)]);
  assert.deepEqual(numbers, [1]);
  assert.match(reasons[0]!, /^epoch 2 has \d+ bytes, its manifest says \d+$/);
});

test("flipped bytes keep the epoch before and are reported, in whichever record", () => {
  const records = epochRecords(untrainedEpoch(2));
  for (const [r, { value }] of records.entries()) {
    for (let at = 0; at < value!.length; at += Math.max(1, Math.floor(value!.length / 40))) {
      const flipped = Uint8Array.from(value!);
      flipped[at]! ^= 0x15;
      const damaged = records.map((record, i) => (i === r ? withValue(record, flipped) : record));
      const { numbers, reasons } = afterAndBefore(damaged);
      assert.deepEqual(numbers, [1], `byte ${at} of record ${r}`);
      assert.equal(reasons.length, 1, `byte ${at} of record ${r}: ${reasons}`);
    }
  }
});

test("an epoch with embeddings that are no numbers is neither made nor taken, though its digest is right", () => {
  assert.throws(() => untrainedEpoch(2, Number.NaN), /the trained model holds numbers that are none/);
  const epoch = untrainedEpoch(2);
  for (const diverged of [
    { ...epoch, output: epoch.output.map(() => Number.NaN) },
    { ...epoch, hidden: epoch.hidden.with(3, Number.POSITIVE_INFINITY) },
  ]) {
    const { numbers, reasons } = afterAndBefore(epochRecords(sealEpoch(diverged)));
    assert.deepEqual(numbers, [1]);
    assert.match(reasons[0]!, /it holds numbers that are none/);
  }
});

test("chunks that no manifest follows are reported once a newer epoch is there, and change nothing", () => {
  const { adopted, reasons } = readerOf([
    ...epochRecords(untrainedEpoch(1)),
    ...chunksOf(largeEpoch(2)),
    ...epochRecords(untrainedEpoch(3)),
  ]);
  assert.deepEqual(
    adopted.map(({ manifest }) => manifest.number),
    [1, 3],
  );
  assert.deepEqual(reasons, ["there are chunks of epoch 2, and no manifest"]);
});

test("a manifest without its chunks keeps the epoch before and is reported", () => {
  const epoch = largeEpoch(2);
  const none = afterAndBefore([manifestOf(epoch)]);
  assert.deepEqual([none.numbers, none.reasons], [[1], ["epoch 2 lacks 3 of its 3 chunks"]]);
  const some = afterAndBefore(epochRecords(epoch).slice(1));
  assert.deepEqual([some.numbers, some.reasons], [[1], ["epoch 2 lacks 1 of its 3 chunks"]]);
});

test("an older number keeps the newer epoch and is reported", () => {
  const { adopted, reasons } = readerOf([
    ...epochRecords(untrainedEpoch(5)),
    ...epochRecords(untrainedEpoch(4)),
  ]);
  assert.deepEqual(
    adopted.map(({ manifest }) => manifest.number),
    [5],
  );
  assert.match(reasons[0]!, /^epoch 4 comes after epoch 5, which stays/);
});

test("of two epochs with one number, written in each other's way, the first manifest wins for everybody", () => {
  const [a, b] = [largeEpoch(1, 1), largeEpoch(1, 2)];
  const [chunksA, chunksB] = [chunksOf(a), chunksOf(b)];
  const mixed = chunksA.flatMap((chunk, i) => [chunk, chunksB[i]!]);
  const log = [...mixed, manifestOf(b), manifestOf(a)];
  assert.equal(new Set(log.map(({ key }) => key)).size, log.length, "no key is written twice");
  const { reader, adopted, reasons } = readerOf(log);
  assert.deepEqual(adopted, [b]);
  assert.equal(reader.newest?.digest, b.manifest.digest);
  assert.match(reasons[0]!, /^epoch 1 comes after epoch 1, which stays: is there more than one trainer/);
});

test("publishing an epoch deletes all but the last ones, losers of a number included, manifests first", () => {
  const { reader } = readerOf([1, 2, 3].flatMap((number) => epochRecords(untrainedEpoch(number))));
  const loser = epochRecords(untrainedEpoch(1, 7));
  for (const record of loser) reader.read(record);
  let live = new Set<string>();
  for (let number = 4; number < 40; number++) {
    const records = reader.publication(untrainedEpoch(number));
    const deletions = records.filter(({ value }) => value === null);
    assert.deepEqual(records.slice(0, deletions.length), deletions);
    assert.deepEqual(
      deletions.map(isManifest),
      deletions.map(isManifest).sort((a, b) => Number(b) - Number(a)),
    );
    if (number === 4) assert.ok(loser.every(({ key }) => deletions.some((deleted) => deleted.key === key)));
    for (const record of records) {
      reader.read(record);
      if (record.value === null) live.delete(record.key);
      else live = live.add(record.key);
    }
    assert.ok([...live].filter((key) => key.endsWith("/manifest")).length <= EPOCHS_KEPT);
    assert.equal(reader.newest?.number, number);
  }
});

/** The same epoch as the gate would not let it pass. */
function rejectedEpoch(number: number): Epoch {
  const epoch = untrainedEpoch(number);
  const gate = { ...uncompared("it is worse", 1, 40), isAccepted: false };
  return sealEpoch({ ...epoch, manifest: { ...epoch.manifest, gate } });
}

test("of a rejected epoch there is the manifest alone: its number is taken, the reason told, the epoch before stays", () => {
  const records = epochRecords(rejectedEpoch(2));
  assert.deepEqual(records.map(isManifest), [true]);
  const told: RejectedEpoch[] = [];
  const numbers: number[] = [];
  const reader = new EpochReader({
    onEpoch: ({ manifest }) => numbers.push(manifest.number),
    onRejected: (rejected) => told.push(rejected),
    onUnusable: (error) => assert.fail(error),
  });
  for (const record of [...epochRecords(untrainedEpoch(1)), ...records]) reader.read(record);
  assert.equal(reader.newest?.number, 2);
  assert.deepEqual(
    told.map(({ number, gate }) => [number, gate.reason]),
    [[2, "it is worse"]],
  );
  // Under its number nothing else can come any more.
  assert.deepEqual(readerOf([...records, ...epochRecords(untrainedEpoch(2))]).adopted, []);
  for (const record of epochRecords(untrainedEpoch(3))) reader.read(record);
  assert.deepEqual(numbers, [1, 3]);
});

test("a manifest of a rejected epoch that is not the one of its key, or says accepted, is reported and takes no number", () => {
  const [record] = epochRecords(rejectedEpoch(2));
  const said = JSON.parse(Buffer.from(record!.value!).toString());
  for (const changes of [{ number: 20 }, { digest: "00" }, { gate: { ...said.gate, isAccepted: true } }]) {
    const changed = withValue(record!, Buffer.from(JSON.stringify({ ...said, ...changes })));
    const { reader, reasons } = readerOf([...epochRecords(untrainedEpoch(1)), changed]);
    assert.equal(reader.newest?.number, 1);
    assert.match(reasons[0]!, /^the manifest of epoch 2 can't be read: it is not the one of its key$/);
  }
});

test("however many are rejected, the epoch in force and the one before stay in the log, and not all of the rejected", () => {
  const { reader } = readerOf([1, 2].flatMap((number) => epochRecords(untrainedEpoch(number))));
  const live = new Map<string, Uint8Array>();
  const write = (records: readonly KeyedRecord[]): void => {
    for (const record of records) {
      reader.read(record);
      if (record.value === null) live.delete(record.key);
      else live.set(record.key, record.value);
    }
  };
  for (const number of [1, 2]) write(epochRecords(untrainedEpoch(number)));
  for (let number = 3; number < 20; number++) {
    write(reader.publication(rejectedEpoch(number)));
    const { adopted, reader: restarted } = readerOf([...live].map(([key, value]) => ({ key, value })));
    assert.deepEqual(
      adopted.map(({ manifest }) => manifest.number),
      [1, 2],
    );
    assert.equal(restarted.newest?.number, number);
    assert.ok(live.size <= 2 * 2 + EPOCHS_KEPT, `${live.size}`);
  }
  write(reader.publication(untrainedEpoch(20)));
  const { adopted } = readerOf([...live].map(([key, value]) => ({ key, value })));
  assert.deepEqual(
    adopted.map(({ manifest }) => manifest.number),
    [1, 2, 20],
  );
});

test("an epoch for the shadow takes the place of the one there, and both it and those in force stay in the log", () => {
  const challenger = (number: number): Epoch => {
    const epoch = untrainedEpoch(number);
    return sealEpoch({ ...epoch, manifest: { ...epoch.manifest, isChallenger: true } });
  };
  const [adopted, challengers]: number[][] = [[], []];
  const reader = new EpochReader({
    onEpoch: ({ manifest }) => adopted!.push(manifest.number),
    onChallenger: ({ manifest }) => challengers!.push(manifest.number),
    onUnusable: (error) => assert.fail(error),
  });
  const live = new Map<string, Uint8Array>();
  const publish = (epoch: Epoch): void => {
    for (const record of reader.publication(epoch)) {
      reader.read(record);
      if (record.value === null) live.delete(record.key);
      else live.set(record.key, record.value);
    }
  };
  for (const number of [1, 2]) publish(untrainedEpoch(number));
  for (let number = 3; number < 10; number++) publish(challenger(number));
  // However many are rejected meanwhile, it is still there to be promoted.
  for (let number = 10; number < 15; number++) publish(rejectedEpoch(number));
  assert.deepEqual(
    [adopted, challengers],
    [
      [1, 2],
      [3, 4, 5, 6, 7, 8, 9],
    ],
  );
  const restarted = readerOf([...live].map(([key, value]) => ({ key, value })));
  assert.deepEqual(
    restarted.adopted.map(({ manifest }) => manifest.number),
    [1, 2],
  );
  assert.ok([...live.keys()].some((key) => key.startsWith("00000009-")));
  publish(promoted(challenger(9), 15, 1000));
  assert.deepEqual(adopted, [1, 2, 15]);
  publish(untrainedEpoch(16));
  assert.ok(![...live.keys()].some((key) => key.startsWith("00000009-")));
});

test("records that are of no epoch are passed over", () => {
  const strange = ["trainer", "", "x/manifest", "1/2/3", "__proto__/manifest"].map((key) => ({
    key,
    value: Buffer.from("{}"),
  }));
  const { numbers, reasons } = afterAndBefore(strange);
  assert.deepEqual([numbers, reasons], [[1], []]);
});

test("while an epoch is decoded in a thread, what comes after it waits, and is taken in its order", async () => {
  const adopted: Epoch[] = [];
  const reasons: string[] = [];
  const reader = new EpochReader({
    onEpoch: (epoch) => adopted.push(epoch),
    onUnusable: (error) => reasons.push((error as OddlinkError).code),
    decode: decodeInThread,
  });
  const [first, second, third] = [largeEpoch(1), untrainedEpoch(2), untrainedEpoch(3)];
  const bytes = Buffer.from(chunksOf(second)[0]!.value!);
  bytes[bytes.length - 1]! ^= 1;
  const damaged = [withValue(chunksOf(second)[0]!, bytes), manifestOf(second)];
  for (const record of [...epochRecords(first), ...damaged, ...epochRecords(third)]) reader.read(record);
  assert.deepEqual([adopted, reader.newest], [[], undefined]);
  await reader.settled();
  assert.deepEqual(adopted, [first, third]);
  assert.deepEqual(reasons, ["EPOCH_CORRUPT"]);
  assert.equal(reader.newest?.number, 3);
});
