import assert from "node:assert/strict";
import { test } from "node:test";
import type { MistakeFound } from "./mistake-search.ts";
import { MISTAKES } from "./mistakes.ts";
import { runSeeds } from "./seed-threads.ts";

test("what workers do wrong is found out, by the right verdict", async (t) => {
  const names = Object.keys(MISTAKES);
  const places = names.map((_, place) => place);
  const all = await runSeeds<MistakeFound>(new URL("./mistake-search.ts", import.meta.url), places);
  assert.deepEqual(
    all.map(({ mistake }) => mistake),
    names,
  );
  for (const { mistake, found, missing, schedules } of all) {
    await t.test(`a worker that ${mistake}`, (t) => {
      const told = found.map(({ seed, verdict, detail }) => `seed ${seed}: ${verdict}: ${detail}`);
      t.diagnostic(`${told.join("; ")}`);
      assert.deepEqual(missing, [], `not found in ${schedules} schedules`);
    });
  }
});
