import assert from "node:assert/strict";

/** Names of the elements in order, and an error where they are not nested as they should be. */
export function elements(html: string): string[] {
  const open: string[] = [];
  const all: string[] = [];
  for (const [, close, name, end] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)[^<>]*?(\/?)>/g)) {
    if (close === "/") assert.equal(open.pop(), name);
    else {
      all.push(name!);
      if (end !== "/" && name !== "meta") open.push(name!);
    }
  }
  assert.deepEqual(open, []);
  return all;
}
