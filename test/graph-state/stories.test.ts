import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  CLOSE_AFTER_MS,
  LEG_ENDS,
  LEGS_MAX,
  STORIES_MAX,
  Stories,
  type Story,
} from "../../src/graph-state/stories.ts";

const name = fc.constantFrom("", "a", "b", "c", "__proto__", "a/b", "\u0000");
const change: fc.Arbitrary<Story> = fc.record({
  uid: fc.constantFrom("s1", "s2", "s3"),
  channel: fc.constant(""),
  partition: fc.nat({ max: 3 }),
  firstMs: fc.nat({ max: 1000 }),
  lastMs: fc.integer({ min: 1000, max: 2000 }),
  alerts: fc.nat({ max: 3 }),
  risk: fc.nat({ max: 100 }),
  severity: fc.nat({ max: 5 }),
  closed: fc.nat({ max: 1 }),
  legs: fc.array(fc.record({ user: name, sourceHost: name, targetHost: fc.string({ maxLength: 2 }) }), {
    maxLength: 12,
  }),
});

const STORY: Story = {
  uid: "s",
  channel: "",
  partition: 0,
  firstMs: 0,
  lastMs: 0,
  alerts: 1,
  risk: 10,
  severity: 2,
  closed: 0,
  legs: [{ user: "u", sourceHost: "h", targetHost: "t" }],
};

test("stories are the same sum in any order and any cut, and each is found by all who take part", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (changes, random) => {
      const whole = new Stories();
      for (const one of changes) whole.add(one);
      const keys = [...random.take(changes.length)];
      const shuffled = changes
        .map((one, i) => ({ one, key: keys[i]! }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ one }) => one);
      // Two workers, each of which sums a part; a third adds what they say.
      const parts = [new Stories(), new Stories()];
      for (const [i, one] of shuffled.entries()) parts[keys[i]! % 2]!.add(one);
      const sum = new Stories();
      for (const part of parts) sum.addAll(part.takeDelta());
      assert.deepEqual(sum.all(), whole.all());
      for (const story of whole.all()) {
        assert.ok(story.legs.length <= LEGS_MAX);
        for (const leg of story.legs)
          for (const end of LEG_ENDS)
            if (leg[end] !== "")
              assert.ok(whole.with("", end, leg[end]).some(({ uid }) => uid === story.uid));
      }
      whole.forget(3000);
      assert.deepEqual([whole.size, whole.with("", "user", "a")], [0, []]);
    }),
  );
});

test("a story is due a day after its last alert, once, and not when it is closed", () => {
  const stories = new Stories();
  stories.add(STORY);
  assert.deepEqual(stories.due("", CLOSE_AFTER_MS - 1), []);
  const [due] = stories.due("", CLOSE_AFTER_MS);
  assert.equal(due!.uid, "s");
  stories.close(due!);
  assert.deepEqual(stories.due("", 10 * CLOSE_AFTER_MS), []);
  assert.equal(stories.find("s")!.alerts, 1);
  // Whoever reads the segments later does not close it again.
  const later = new Stories();
  later.addAll(stories.takeDelta());
  assert.deepEqual(later.due("", 10 * CLOSE_AFTER_MS), []);
  // Another one goes on: it is not due with the first.
  stories.add({ ...STORY, uid: "t", lastMs: CLOSE_AFTER_MS });
  assert.deepEqual(stories.due("", CLOSE_AFTER_MS + 1), []);
  assert.deepEqual(
    stories.due("", 3 * CLOSE_AFTER_MS).map(({ uid }) => uid),
    ["t"],
  );
});

test("a story is found to be due at the same moment, whenever it was looked before", () => {
  for (const lookedMs of [-1, -1000, -59_000, -61_000]) {
    const stories = new Stories();
    stories.add({ ...STORY, uid: "first", lastMs: -70_000 });
    stories.add(STORY);
    for (const story of stories.due("", CLOSE_AFTER_MS + lookedMs)) stories.close(story);
    assert.deepEqual(
      stories.due("", CLOSE_AFTER_MS).map(({ uid }) => uid),
      ["s"],
      `${lookedMs}`,
    );
  }
});

test("beyond the bound those without an alert for the longest go", () => {
  const stories = new Stories();
  for (let i = 0; i <= STORIES_MAX; i++)
    stories.add({
      ...STORY,
      uid: `s${i}`,
      lastMs: i === 0 ? 1e9 : i,
      legs: [{ ...STORY.legs[0]!, user: `u${i}` }],
    });
  assert.ok(stories.size <= STORIES_MAX);
  assert.ok(stories.find("s0") !== undefined && stories.find(`s${STORIES_MAX}`) !== undefined);
  assert.equal(stories.find("s1"), undefined);
  assert.deepEqual(stories.with("", "user", "u1"), []);
});
