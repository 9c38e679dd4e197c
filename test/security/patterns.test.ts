import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { test } from "node:test";
import { isNewExpression, isRegularExpressionLiteral, type Node } from "typescript/unstable/ast";
import { API } from "typescript/unstable/sync";
import { TextPatterns } from "../../src/alerts/text-pattern.ts";
import { BEGINNING } from "../../src/ingest/formats/sshd.ts";
import { NAME_BYTES_MAX } from "../../src/ingest/login.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** The checker needs no more than six seconds for any of them. */
const CHECK_MS_MAX = 60_000;

/** Patterns that take quadratic time, and why what they are tried on is short. */
const BOUNDED: Readonly<Record<string, string>> = {
  "src/config/kafka.ts /\\d+$/": "an address of a broker in the configuration",
  "src/alerts/wording.ts /\\B(?=(\\d{3})+$)/g": "the digits of a number",
  "src/alerts/wording.ts /[\\s.]+$/": "a sentence of oddlink's own, with names of 256 bytes at most in it",
  "src/log/kafka/kafkajs/words.ts /\\w+(?=\\()/":
    "a message of the Kafka client, which begins with the name of a request",
};

type Found = { readonly literals: ReadonlySet<string>; readonly composed: readonly string[] };

/** Every literal of a regular expression in `src`, as "file /pattern/flags", and the files that make one of texts. */
function patterns(): Found {
  const api = new API({ cwd: ROOT });
  const literals = new Set<string>();
  const composed: string[] = [];
  try {
    for (const configuration of ["tsconfig.json", "tsconfig.page.json"]) {
      const path = join(ROOT, configuration);
      const { program } = api.updateSnapshot({ openProjects: [path] }).getProject(path)!;
      for (const file of program.getSourceFileNames()) {
        const name = relative(ROOT, file).replaceAll("\\", "/");
        if (!name.startsWith("src/")) continue;
        const visit = (node: Node): void => {
          if (isRegularExpressionLiteral(node)) literals.add(`${name} ${node.text}`);
          if (isNewExpression(node) && node.expression.getText() === "RegExp") composed.push(name);
          node.forEachChild(visit);
        };
        visit(program.getSourceFile(file)!);
      }
    }
  } finally {
    api.close();
  }
  return { literals, composed };
}

test("no pattern takes more than linear time for a text that anybody may choose", {
  timeout: 300_000,
}, async () => {
  // The checker in JavaScript: no Java, no binary.
  process.env["RECHECK_BACKEND"] = "pure";
  const { checkSync } = await import("recheck");
  const { literals, composed } = patterns();
  assert.ok(literals.size > 100, `${literals.size} patterns found`);
  assert.deepEqual(
    composed,
    ["src/ingest/formats/sshd.ts"],
    "a pattern that is made of texts is checked here",
  );
  const wrong: string[] = [];
  for (const pattern of [...literals, `composed /${BEGINNING.source}/`]) {
    const [, source, flags] = / \/(.*)\/([a-z]*)$/s.exec(pattern)!;
    const found = checkSync(source!, flags!, { timeout: CHECK_MS_MAX });
    if (found.status === "safe") continue;
    wrong.push(`${pattern}: ${found.status === "vulnerable" ? found.complexity.summary : found.status}`);
  }
  assert.deepEqual(
    wrong.map((one) => one.replace(/: [^:]*$/, "")).sort(),
    Object.keys(BOUNDED).sort(),
    wrong.join("\n"),
  );
  // None is worse than quadratic: of what is short that is nothing.
  for (const one of wrong) assert.match(one, /: 2nd degree polynomial/);
});

test("patterns of suppressions take linear time, whatever the rule and whatever the name", () => {
  const stars = (part: string, count: number) => `*${`${part}*`.repeat(count)}b`;
  const patterns = [
    stars("a", 127),
    stars("aa", 80),
    `${"*a".repeat(127)}*`,
    `${"a*".repeat(127)}a`,
    `*${"a".repeat(250)}*b`,
  ];
  const names = [
    "a".repeat(NAME_BYTES_MAX),
    `${"a".repeat(NAME_BYTES_MAX - 1)}b`,
    "ab".repeat(NAME_BYTES_MAX / 2),
    "\u212a".repeat(85),
  ];
  const compiled = new TextPatterns(Array.from({ length: 1000 }, (_, i) => patterns[i % patterns.length]!));
  const startedMs = performance.now();
  for (let i = 0; i < 25; i++) for (const name of names) compiled.matches(name);
  // A regular expression would not come back from one of them.
  assert.ok(performance.now() - startedMs < 5000);
  const one = new TextPatterns([stars("a", 127)]);
  const msOf = (length: number): number => {
    const startMs = performance.now();
    one.matches("a".repeat(length));
    return performance.now() - startMs;
  };
  msOf(1 << 16);
  assert.ok(msOf(1 << 22) < 1000, "four million letters");
});
