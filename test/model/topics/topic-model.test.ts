import assert from "node:assert/strict";
import { test } from "node:test";
import { fitTopics, Topics, topicModelSchema } from "../../../src/model/topics/topic-model.ts";

/** Two families of names that are spelt alike within, and a third of one name. */
const TEXTS = [
  ...Array.from({ length: 12 }, (_, i) => `NTLM::Network-v${i}`),
  ...Array.from({ length: 12 }, (_, i) => `Kerberos::Service-${i}`),
  "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0",
];

test("texts that are spelt alike share a topic, and others do not", () => {
  const topics = new Topics(fitTopics(TEXTS, 3, 1));
  const found = TEXTS.map((text) => topics.of(text));
  assert.equal(new Set(found.slice(0, 12)).size, 1);
  assert.equal(new Set(found.slice(12, 24)).size, 1);
  assert.equal(new Set(found).size, 3);
});

test("a text that was never seen has the topic of those that it resembles, and the same at each asking", () => {
  const model = fitTopics(TEXTS, 3, 1);
  const topics = new Topics(model);
  assert.equal(topics.of("NTLM::Network-v99"), topics.of(TEXTS[0]!));
  assert.equal(topics.of("kerberos::service"), topics.of(TEXTS[12]!));
  assert.equal(new Topics(model).of("NTLM::Network-v99"), topics.of("NTLM::Network-v99"));
  assert.equal(topics.of("??"), undefined);
});

test("the same texts and seed give the same topics, and what is stored says the same as what was fitted", () => {
  const model = fitTopics(TEXTS, 3, 1);
  assert.deepEqual(fitTopics(TEXTS, 3, 1), model);
  const stored = topicModelSchema.parse(JSON.parse(JSON.stringify(model)));
  assert.deepEqual(stored, model);
  const [fitted, read] = [new Topics(model), new Topics(stored)];
  for (const text of TEXTS) assert.equal(read.of(text), fitted.of(text));
});

test("topics have names of their own, of the sequences that make them", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const names = fitTopics(TEXTS, 8, seed).topics.map(({ name }) => name);
    assert.equal(new Set(names).size, 8);
    assert.ok(names.every((name) => name.includes("+")));
  }
});

test("weights of a topic sum to 1", () => {
  for (const { weights } of fitTopics(TEXTS, 5, 1).topics)
    assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-3);
});

test("of many texts a sample is learnt from, and all get a topic", () => {
  const many = Array.from({ length: 5000 }, (_, i) => `${i % 2 === 0 ? "service" : "interactive"}/${i}`);
  const topics = new Topics(fitTopics(many, 2, 1));
  const found = many.map((text) => topics.of(text));
  const right = found.filter((topic, i) => topic === found[i % 2]).length;
  assert.ok(right > 0.95 * many.length, `${right} of ${many.length}`);
  assert.notEqual(found[0], found[1]);
});
