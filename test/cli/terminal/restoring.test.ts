import assert from "node:assert/strict";
import { test } from "node:test";
import { restoringText } from "../../../src/cli/terminal/restoring.ts";

test("a restore says what it has read, then how much of it is added, and falls silent when all is", () => {
  const mib = 1024 * 1024;
  const read = { bytesRead: 12 * mib, bytesTotal: undefined, bytesAdded: 0, links: 0 };
  assert.equal(restoringText(read), "reading the stored graph, 12 MiB");
  const adding = { ...read, bytesTotal: 10 * mib, bytesAdded: 4 * mib, links: 123_456 };
  assert.equal(restoringText(adding), "restoring the graph, 40 %, 123,456 links");
  assert.equal(restoringText({ ...adding, bytesAdded: 10 * mib }), undefined);
});
