import assert from "node:assert/strict";
import { test } from "node:test";
import {
  EPOCHS_REMEMBERED_MAX,
  EpochHistory,
  LOSSES_REMEMBERED_MAX,
} from "../../src/engine/epoch-history.ts";
import type { EpochManifest } from "../../src/model/epoch.ts";
import { untrainedEpoch } from "../model/epochs.ts";

const { manifest: MANIFEST } = untrainedEpoch(1);

function manifest(number: number, changes: Partial<EpochManifest> = {}): EpochManifest {
  return { ...MANIFEST, number, digest: `digest ${number}`, ...changes };
}

const GATE = {
  isAccepted: false,
  reason: "worse",
  running: 1,
  links: 50,
  aucByFake: {},
  difference: -0.1,
  standardError: 0.01,
  drift: [],
};

function states(history: EpochHistory): [number, string][] {
  return history.list().map(({ number, state }) => [number, state]);
}

test("of each epoch it is told what became of it, the newest first", () => {
  const history = new EpochHistory();
  history.adopted(manifest(1), null);
  history.adopted(manifest(2), 20);
  history.rejected({ number: 3, digest: "digest 3", gate: GATE });
  history.challenged(manifest(4));
  assert.deepEqual(states(history), [
    [4, "shadow"],
    [3, "rejected"],
    [2, "inForce"],
    [1, "replaced"],
  ]);
  history.adopted(manifest(5, { promotedAtMs: 50 }), 51);
  assert.deepEqual(states(history).slice(0, 2), [
    [5, "inForce"],
    [4, "replaced"],
  ]);
  assert.deepEqual(
    history.list().map(({ adoptedAtMs }) => adoptedAtMs),
    [50, null, null, 20, null],
  );
});

test("an epoch that is taken back is no replaced one", () => {
  const history = new EpochHistory();
  history.adopted(manifest(1), 10);
  history.adopted(manifest(2), 20);
  const rolledBack = { from: 2, to: 1, reason: "too many incidents" };
  history.adopted(manifest(3, { rolledBack }), 30);
  assert.deepEqual(states(history), [
    [3, "inForce"],
    [2, "rolledBack"],
    [1, "replaced"],
  ]);
  assert.deepEqual(history.list()[0]!.summary!.rolledBack, rolledBack);
});

test("of an epoch that was rejected here more is known than the log keeps", () => {
  const history = new EpochHistory();
  const own = manifest(2, { losses: [0.7, 0.6] });
  history.rejectedHere(own);
  history.rejected({ number: 2, digest: own.digest, gate: GATE });
  history.rejected({ number: 3, digest: "of somebody else's", gate: GATE });
  const [others, ours] = history.list();
  assert.equal(others!.summary, null);
  assert.equal(ours!.summary!.steps, 2);
  assert.deepEqual(ours!.gate, GATE);
});

test("however many are rejected, the one in force is remembered", () => {
  const history = new EpochHistory();
  history.adopted(manifest(1), 1);
  for (let number = 2; number < 2 * EPOCHS_REMEMBERED_MAX; number++)
    history.rejected({ number, digest: `digest ${number}`, gate: GATE });
  const list = history.list();
  assert.equal(list.length, EPOCHS_REMEMBERED_MAX);
  assert.equal(list[0]!.number, 2 * EPOCHS_REMEMBERED_MAX - 1);
  assert.deepEqual(states(history).at(-1), [1, "inForce"]);
});

test("of a long training some losses are kept, the first and the last among them", () => {
  const history = new EpochHistory();
  const losses = Array.from({ length: 3001 }, (_, i) => 1 / (i + 1));
  history.adopted(manifest(1, { losses }), 1);
  const { summary } = history.list()[0]!;
  assert.equal(summary!.steps, 3001);
  assert.ok(summary!.losses.length <= LOSSES_REMEMBERED_MAX + 1);
  assert.deepEqual(summary!.losses[0], { step: 1, loss: 1 });
  assert.deepEqual(summary!.losses.at(-1), { step: 3001, loss: 1 / 3001 });
});
