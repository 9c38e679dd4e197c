import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN, painted, screenOf } from "../../../src/cli/terminal/screen.ts";
import { wrapped } from "../../../src/cli/terminal/wrap.ts";

const terminal = { isTTY: true, columns: 100 };

test("a terminal has colours, its own width, and lines that may be rewritten", () => {
  assert.deepEqual(screenOf(terminal, {}), { isLive: true, columns: 100, hasColor: true });
});

test("a file, a pipe and a dumb terminal are plain", () => {
  assert.deepEqual(screenOf({}, {}), PLAIN);
  assert.deepEqual(screenOf({ isTTY: false, columns: 200 }, {}), PLAIN);
  assert.deepEqual(screenOf(terminal, { TERM: "dumb" }), PLAIN);
});

test("NO_COLOR takes the colours and nothing else; empty it means nothing", () => {
  assert.deepEqual(screenOf(terminal, { NO_COLOR: "1" }), { isLive: true, columns: 100, hasColor: false });
  assert.equal(screenOf(terminal, { NO_COLOR: "" }).hasColor, true);
});

test("a terminal that does not know its width has 80 columns", () => {
  assert.equal(screenOf({ isTTY: true, columns: 0 }, {}).columns, 80);
  assert.equal(screenOf({ isTTY: true }, {}).columns, 80);
});

test("text is painted where there are colours", () => {
  assert.equal(painted(PLAIN, "red", "x"), "x");
  assert.equal(painted(screenOf(terminal, {}), "red", "x"), "\u001b[31mx\u001b[39m");
});

test("a line is wrapped at spaces on a terminal and left whole in a file", () => {
  const narrow = { isLive: true, columns: 12, hasColor: false };
  assert.equal(wrapped("one two three four", narrow, 2), "  one two\n    three\n    four");
  assert.equal(wrapped("a-word-longer-than-the-line x", narrow, 2), "  a-word-longer-than-the-line\n    x");
  assert.equal(wrapped("one two three four", PLAIN, 2), "  one two three four");
});

test("colours take no room when a line is wrapped", () => {
  const narrow = { isLive: true, columns: 10, hasColor: true };
  assert.equal(wrapped("\u001b[31mone\u001b[39m two six", narrow, 0), "\u001b[31mone\u001b[39m two\n  six");
});
