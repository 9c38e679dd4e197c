import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  NAME_LENGTH_MAX,
  nameText,
  sentenceText,
  shortened,
} from "../../../src/cli/terminal/outside-text.ts";

test("an ordinary name is shown as it is", () => {
  assert.equal(nameText("U620@DOM1"), "U620@DOM1");
  assert.equal(nameText("Łukasz Öz 李"), "Łukasz Öz 李");
});

test("what is missing or no text is a question mark", () => {
  for (const missing of [undefined, null, "", 7, {}]) assert.equal(nameText(missing), "?");
  assert.equal(sentenceText(undefined), "");
});

test("escape sequences, line breaks and bidirectional overrides are spelled out", () => {
  assert.equal(nameText("a\u001b[2Jb"), "a\\u{1b}[2Jb");
  assert.equal(nameText("a\nb\r"), "a\\u{a}b\\u{d}");
  assert.equal(nameText("nimda\u202e"), "nimda\\u{202e}");
});

test("an invisible character can't make a name pass for another", () => {
  assert.notEqual(nameText("adm\u200bin"), "admin");
  assert.notEqual(nameText("adm\u00adin"), "admin");
});

test("a long name is cut at 64 characters, never through a surrogate pair", () => {
  assert.equal(nameText("x".repeat(64)), "x".repeat(64));
  assert.equal(nameText("x".repeat(65)), `${"x".repeat(63)}…`);
  assert.equal(nameText("😀".repeat(64)), "😀".repeat(64));
  assert.equal(nameText(`x${"😀".repeat(5000)}`), `x${"😀".repeat(62)}…`);
});

test("no text at all gets anything invisible, or anything too long, to the terminal", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200, size: "max" }), (text) => {
      const name = nameText(text);
      assert.doesNotMatch(name, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      assert(Array.from(name).length <= NAME_LENGTH_MAX);
    }),
  );
});

test("text is shortened to any length", () => {
  assert.equal(shortened("abc", 3), "abc");
  assert.equal(shortened("abc", 2), "a…");
  assert.equal(shortened("abc", 1), "…");
  assert.equal(shortened("abc", 0), "");
});
