import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  EmbeddingMaps,
  type MapAnswer,
  type ProjectPoints,
} from "../../../src/console/embedding-map/embedding-maps.ts";
import type { Projection } from "../../../src/console/embedding-map/projection.ts";
import { untrainedEpoch } from "../../model/epochs.ts";
import { engineOf } from "../console-stage.ts";

const { graph } = engineOf();
const FIRST = untrainedEpoch(1);
const SECOND = untrainedEpoch(2, 2);

type Call = {
  readonly count: number;
  readonly signal: AbortSignal;
  readonly onProgress: (share: number) => void;
  readonly end: (projection?: Projection) => void;
  readonly fail: (error: Error) => void;
};

/** Work that ends when the test says so, or when it is aborted. */
function work(): { readonly calls: Call[]; readonly project: ProjectPoints } {
  const calls: Call[] = [];
  const project: ProjectPoints = ({ points }, onProgress, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<Projection | undefined>();
    const { count } = points;
    const projection = {
      places: new Float32Array(2 * count),
      clusterOf: new Uint8Array(count),
      clusters: 1,
    };
    signal.addEventListener("abort", () => resolve(undefined));
    calls.push({ count, signal, onProgress, end: () => resolve(projection), fail: reject });
    return promise;
  };
  return { calls, project };
}

/** Once what was begun has come to what is asked of the thread. */
async function begun(calls: readonly Call[], count: number): Promise<void> {
  while (calls.length < count) await nextTurn();
}

async function answered(maps: EmbeddingMaps, epoch = FIRST): Promise<MapAnswer> {
  for (;;) {
    const answer = maps.ask({ epoch, graph });
    if (answer.kind !== "computing") return answer;
    await nextTurn();
  }
}

test("however many ask, a map is computed once, and they are told how far it is", async () => {
  const { calls, project } = work();
  const maps = new EmbeddingMaps(project);
  assert.deepEqual(maps.ask({ epoch: undefined, graph }), { kind: "none" });
  for (let i = 0; i < 10; i++)
    assert.deepEqual(maps.ask({ epoch: FIRST, graph }), { kind: "computing", progress: 0 });
  await begun(calls, 1);
  calls[0]!.onProgress(0.5);
  assert.deepEqual(maps.ask({ epoch: FIRST, graph }), { kind: "computing", progress: 0.5 });
  calls[0]!.end();
  const answer = await answered(maps);
  assert.equal(answer.kind, "ready");
  assert.equal(answer.kind === "ready" && answer.map.points.length, calls[0]!.count);
  assert.equal(calls.length, 1);
});

test("who asks for the map of a newer epoch ends the work on that of the older one", async () => {
  const { calls, project } = work();
  const maps = new EmbeddingMaps(project);
  maps.ask({ epoch: FIRST, graph });
  await begun(calls, 1);
  maps.ask({ epoch: SECOND, graph });
  assert.ok(calls[0]!.signal.aborted);
  await begun(calls, 2);
  calls[1]!.end();
  const answer = await answered(maps, SECOND);
  assert.equal(answer.kind === "ready" && answer.map.number, 2);
});

test("work that failed is told of once, and done again for who asks again", async () => {
  const { calls, project } = work();
  const maps = new EmbeddingMaps(project);
  maps.ask({ epoch: FIRST, graph });
  await begun(calls, 1);
  calls[0]!.fail(new Error("no memory"));
  const answer = await answered(maps);
  assert.equal(answer.kind === "failed" && answer.error.message, "no memory");
  assert.equal(maps.ask({ epoch: FIRST, graph }).kind, "computing");
  await begun(calls, 2);
  calls[1]!.end();
  assert.equal((await answered(maps)).kind, "ready");
});

test("nothing goes on after the end", async () => {
  const { calls, project } = work();
  const maps = new EmbeddingMaps(project);
  maps.ask({ epoch: FIRST, graph });
  await begun(calls, 1);
  await maps.close();
  assert.ok(calls[0]!.signal.aborted);
});
