import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type ResumableRequest, trainResumable } from "../../../src/engine/training/resumable-training.ts";
import { trainInThread } from "../../../src/engine/training/training-thread.ts";
import { BACKEND_NAMES } from "../../../src/model/backends/backends.ts";
import { encodeEpoch } from "../../../src/model/epoch.ts";
import { trainingOptionsSchema } from "../../../src/model/training/training-options.ts";
import { snapshotOf, twoCommunities } from "../../model/graphs.ts";
import { temporaryFolder } from "../../processes/oddlink.ts";

const input = twoCommunities({ users: 40, hosts: 40, links: 300 });
const OPTIONS = trainingOptionsSchema.parse({ device: "js", dimensions: 8, bases: 2, steps: 30, threads: 1 });
const DAY_MS = 86_400_000;

function requestOf(path?: string, changed: Partial<ResumableRequest> = {}): ResumableRequest {
  return {
    number: 1,
    trainedAtMs: 10 * DAY_MS,
    snapshot: snapshotOf(input),
    options: OPTIONS,
    checkpoint: path === undefined ? undefined : { path, ageMsMax: DAY_MS, everyMs: 0 },
    ...changed,
  };
}

/** Trains until a step, and no further. */
async function interruptedAt(step: number, request: ResumableRequest): Promise<void> {
  const interruption = new Error("interrupted");
  const training = trainResumable(request, {
    onProgress: (progress) => {
      if (progress.step === step) throw interruption;
    },
  });
  await assert.rejects(training, interruption);
}

/** Trains to the end. @returns the bytes of the epoch, the first step that was done, and what was noted */
async function ended(request: ResumableRequest) {
  const steps: number[] = [];
  const notes: string[] = [];
  const epoch = await trainResumable(request, {
    onProgress: ({ step }) => steps.push(step),
    onNote: (note) => notes.push(note),
  });
  return { bytes: encodeEpoch(epoch), epoch, first: steps[0], notes };
}

for (const backend of BACKEND_NAMES) {
  test(`${backend}: a training that was interrupted goes on there, and comes to the same epoch`, async (t) => {
    const path = join(temporaryFolder(t), "training");
    const options = { ...OPTIONS, backend, dropout: 0.1, features: true };
    const whole = await ended(requestOf(undefined, { options }));
    await interruptedAt(17, requestOf(path, { options }));
    const rest = await ended(requestOf(path, { options }));
    assert.equal(rest.first, 16);
    assert.match(rest.notes.join(), /epoch 1 goes on after step 15/);
    assert.deepEqual(rest.bytes, whole.bytes);
  });
}

test("it goes on with the graph that it began with, as long as that is not too old", async (t) => {
  const grown = snapshotOf(twoCommunities({ users: 40, hosts: 40, links: 320 }));
  const after = async (days: number) => {
    const path = join(temporaryFolder(t), "training");
    await interruptedAt(17, requestOf(path));
    return ended(requestOf(path, { snapshot: grown, trainedAtMs: (10 + days) * DAY_MS }));
  };
  const { epoch, first } = await after(0.5);
  assert.deepEqual([first, epoch.manifest.linkCount, epoch.manifest.trainedAtMs], [16, 300, 10 * DAY_MS]);
  const anew = await after(2);
  assert.deepEqual([anew.first, anew.epoch.manifest.linkCount], [1, 320]);
});

test("another training begins anew: with other options, another number, or another epoch before it", async (t) => {
  const path = join(temporaryFolder(t), "training");
  const { epoch: previous } = await ended(requestOf());
  for (const changed of [{ number: 2 }, { previous }, { options: { ...OPTIONS, learningRate: 0.01 } }]) {
    await interruptedAt(17, requestOf(path));
    assert.equal((await ended(requestOf(path, changed))).first, 1);
  }
  await interruptedAt(17, requestOf(path));
  // Results do not depend on how many threads there are.
  assert.equal((await ended(requestOf(path, { options: { ...OPTIONS, threads: 2 } }))).first, 16);
});

test("a file that is damaged, cut short or none of ours is no reason to fail", async (t) => {
  const path = join(temporaryFolder(t), "training");
  await interruptedAt(17, requestOf(path));
  const good = readFileSync(path);
  const damaged = Buffer.from(good);
  damaged[good.length >> 1]! ^= 1;
  for (const bytes of [damaged, good.subarray(0, 100), Buffer.alloc(0), Buffer.from("hello")]) {
    writeFileSync(path, bytes);
    assert.equal((await ended(requestOf(path))).first, 1);
  }
});

test("a training goes on where it can't note how far it has come", async (t) => {
  const path = join(temporaryFolder(t), "missing", "training");
  const { notes, epoch } = await ended(requestOf(path));
  assert.equal(epoch.manifest.number, 1);
  assert.equal(notes.length, 1);
  assert.match(notes[0]!, /can't be noted/);
});

test("a thread that is ended in the middle is followed by one that goes on", async (t) => {
  const path = join(temporaryFolder(t), "training");
  const stop = new AbortController();
  const stopped = trainInThread(requestOf(path), {
    signal: stop.signal,
    onProgress: ({ step }) => step === 17 && stop.abort(),
  });
  await assert.rejects(stopped, { code: "TRAINING_FAILED" });
  assert.ok(existsSync(path));
  const notes: string[] = [];
  const epoch = await trainInThread(requestOf(path), { onNote: (note) => notes.push(note) });
  assert.match(notes.join(), /goes on after step \d+/);
  assert.equal(epoch.manifest.digest, (await ended(requestOf())).epoch.manifest.digest);
});
