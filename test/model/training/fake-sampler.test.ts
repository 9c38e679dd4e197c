import assert from "node:assert/strict";
import { test } from "node:test";
import type { TrainingBatch } from "../../../src/model/backends/backend.ts";
import { FAKE_KINDS, FakeSampler, negativesSchema } from "../../../src/model/training/fake-sampler.ts";
import { twoCommunities } from "../graphs.ts";

const USERS = 60;
const { graph } = twoCommunities({ users: USERS, hosts: USERS, links: 500 });
const trained = Int32Array.from(graph.linkFrom.keys());
const links = new Set(
  Array.from(trained, (i) => keyOf(graph.linkFrom[i]!, graph.linkRelation[i]!, graph.linkTo[i]!)),
);

function keyOf(from: number, relation: number, to: number): string {
  return `${from} ${relation} ${to}`;
}

function batchOf(): TrainingBatch {
  const n = trained.length;
  const twice = (values: Int32Array) => Int32Array.from({ length: 2 * n }, (_, i) => values[i % n]!);
  return {
    from: twice(graph.linkFrom),
    relation: twice(graph.linkRelation),
    to: twice(graph.linkTo),
    label: new Float32Array(2 * n).fill(1, 0, n),
    weight: new Float32Array(2 * n).fill(1),
  };
}

const degrees = new Int32Array(graph.entityCount);
const peers = Array.from({ length: graph.entityCount }, () => new Set<number>());
for (const link of trained) {
  const [from, to] = [graph.linkFrom[link]!, graph.linkTo[link]!];
  degrees[from]!++;
  degrees[to]!++;
  peers[from]!.add(to);
  peers[to]!.add(from);
}

/** Each fake with what it is a fake of. */
function* fakesOf(batch: TrainingBatch) {
  const n = trained.length;
  for (let i = 0; i < n; i++) {
    if (batch.weight[n + i] === 0) continue;
    const [from, relation, to] = [batch.from[i]!, batch.relation[i]!, batch.to[i]!];
    const fake = { from: batch.from[n + i]!, relation: batch.relation[n + i]!, to: batch.to[n + i]! };
    const [old, other] = fake.from === from ? [to, fake.to] : [from, fake.from];
    yield {
      ...fake,
      isSwapped: fake.relation !== relation,
      isHeadKept: fake.from === from,
      isTailKept: fake.to === to,
      old,
      other,
    };
  }
}

for (const kind of FAKE_KINDS) {
  test(`a fake of the kind ${kind} is no trained link, and differs from its link in one place`, () => {
    const batch = batchOf();
    new FakeSampler(graph, trained, trained, 1, "fakes").fillWith(batch, trained.length, kind);
    let count = 0;
    for (const fake of fakesOf(batch)) {
      count++;
      assert.ok(!links.has(keyOf(fake.from, fake.relation, fake.to)));
      const changed = [fake.isSwapped, !fake.isHeadKept, !fake.isTailKept].filter(Boolean).length;
      assert.equal(changed, 1);
      assert.equal(fake.isSwapped, kind === "swappedRelation");
      assert.equal(graph.entityKind[fake.old], graph.entityKind[fake.other]);
      if (kind === "sharedPeer")
        assert.ok([...peers[fake.old]!].some((peer) => peers[fake.other]!.has(peer)));
    }
    assert.ok(count > 0.5 * trained.length, `${count}`);
  });
}

test("where an end is named, a fake differs from its link there", () => {
  for (const end of ["from", "to"] as const) {
    const batch = batchOf();
    new FakeSampler(graph, trained, trained, 1, "fakes").fillWith(batch, trained.length, "degree", () => end);
    const fakes = [...fakesOf(batch)];
    assert.ok(fakes.length > 0.5 * trained.length);
    for (const { isHeadKept, isTailKept } of fakes)
      assert.deepEqual([isHeadKept, isTailKept], [end === "to", end === "from"]);
  }
});

test("degree-matched fakes have about the degree of what they replace, drawn by degree they have not", () => {
  const differenceOf = (kind: "degreeMatched" | "degree" | "uniform"): number => {
    const batch = batchOf();
    new FakeSampler(graph, trained, trained, 1, "fakes").fillWith(batch, trained.length, kind);
    const differences = [...fakesOf(batch)].map(({ old, other }) =>
      Math.abs(degrees[old]! - degrees[other]!),
    );
    return differences.reduce((sum, value) => sum + value, 0) / differences.length;
  };
  assert.ok(differenceOf("degreeMatched") < 0.5 * differenceOf("degree"));
  assert.ok(differenceOf("degreeMatched") < 0.5 * differenceOf("uniform"));
});

test("fakes are mixed by the shares, which sum to 1", () => {
  const batch = batchOf();
  const shares = negativesSchema.parse({
    uniform: 0.4,
    degree: 0.1,
    degreeMatched: 0,
    sharedPeer: 0,
    swappedRelation: 0.5,
  });
  new FakeSampler(graph, trained, trained, 1, "fakes").fill(batch, trained.length, shares);
  const fakes = [...fakesOf(batch)];
  const swapped = fakes.filter(({ isSwapped }) => isSwapped).length / fakes.length;
  assert.ok(swapped > 0.35 && swapped < 0.55, `${swapped}`);
  assert.throws(() => negativesSchema.parse({ uniform: 0.9 }), /sum to 1/);
});

test("where all there is is a link, a fake weighs nothing", () => {
  const whole = {
    ...graph,
    entityCount: 4,
    entityKind: Uint8Array.from([0, 0, 1, 1]),
    relationNames: ["user-sourceHost"],
    linkFrom: Int32Array.from([0, 0, 1, 1]),
    linkRelation: new Int32Array(4),
    linkTo: Int32Array.from([2, 3, 2, 3]),
  };
  const all = Int32Array.from([0, 1, 2, 3]);
  const batch = {
    from: Int32Array.from([0, 0, 1, 1, 0, 0, 0, 0]),
    relation: new Int32Array(8),
    to: Int32Array.from([2, 3, 2, 3, 0, 0, 0, 0]),
    label: new Float32Array(8),
    weight: new Float32Array(8).fill(1),
  };
  new FakeSampler(whole, all, all, 1, "fakes").fill(batch, 4, negativesSchema.parse({}));
  assert.deepEqual([...batch.weight], [1, 1, 1, 1, 0, 0, 0, 0]);
});
