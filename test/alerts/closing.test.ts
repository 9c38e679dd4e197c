import assert from "node:assert/strict";
import { test } from "node:test";
import avsc from "avsc";
import fc from "fast-check";
import { alertLine } from "../../src/alerts/alert-formats.ts";
import { findingToAvro } from "../../src/alerts/avro-alerts.ts";
import { ALERT_SCHEMA } from "../../src/alerts/avro-schemas.ts";
import { closingOf, isClosing } from "../../src/alerts/closing.ts";
import { toFinding } from "../../src/alerts/finding.ts";
import type { Story } from "../../src/graph-state/stories.ts";
import { ecsViolations } from "./ecs-fields.ts";
import { violations } from "./ocsf-schema.ts";
import { nameArbitrary, STOLEN } from "./odd-logins.ts";

const timeMs = fc.integer({ min: 0, max: 2 ** 42 });
const storyArbitrary: fc.Arbitrary<Story> = fc
  .record({
    uid: fc.uuid(),
    channel: fc.constant(""),
    partition: fc.nat(),
    firstMs: timeMs,
    lastMs: timeMs,
    alerts: fc.integer({ min: 1, max: 2 ** 31 }),
    risk: fc.integer({ min: 0, max: 100 }),
    severity: fc.integer({ min: 0, max: 5 }),
    closed: fc.constant(0),
    legs: fc.array(fc.record({ user: nameArbitrary, sourceHost: nameArbitrary, targetHost: nameArbitrary }), {
      minLength: 1,
      maxLength: 4,
    }),
  })
  // An alert is about somebody or some host.
  .filter(({ legs: [leg] }) => `${leg!.user}${leg!.sourceHost}${leg!.targetHost}` !== "");

test("what closes any incident is a valid finding, an ECS signal, and a record of the published Avro schema", () => {
  const type = avsc.Type.forSchema(ALERT_SCHEMA as unknown as avsc.schema.RecordType);
  fc.assert(
    fc.property(storyArbitrary, (story) => {
      const closing = closingOf(story, "logins", "default");
      assert.deepEqual(violations(closing), []);
      const line = JSON.stringify(closing);
      const signal = JSON.parse(alertLine("ecs", line));
      assert.deepEqual(ecsViolations(signal), []);
      assert.deepEqual(
        Object.values(signal.labels as object).filter((label) => /undefined|null/.test(label)),
        [],
      );
      const record = type.fromBuffer(findingToAvro(line)) as { count: number; finding_info: { uid: string } };
      assert.deepEqual([record.count, record.finding_info.uid], [story.alerts, story.uid]);
      assert.equal(closing.type_uid, closing.class_uid * 100 + closing.activity_id);
      assert.ok(isClosing(JSON.parse(line)));
    }),
    { numRuns: 3000 },
  );
  assert.ok(!isClosing(toFinding(STOLEN)));
});
