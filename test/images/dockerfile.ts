import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");

export type Instruction = { readonly name: string; readonly text: string };
export type Stage = {
  readonly name: string;
  /** As it is written: a name, or an argument in braces. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
};

export type Dockerfile = {
  /** Arguments before the first stage, with their defaults. */
  readonly defaults: ReadonlyMap<string, string>;
  readonly stages: readonly Stage[];
};

/** The Dockerfile of this project, which keeps to what is read here: no heredocs, no instruction in two lines without a backslash. */
export function readDockerfile(): Dockerfile {
  const defaults = new Map<string, string>();
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const { name, text } of instructionsOf(readFileSync(join(ROOT, "Dockerfile"), "utf8"))) {
    const stage = stages.at(-1);
    if (name === "FROM") {
      const [base, , alias] = text.split(/\s+/);
      stages.push({ name: alias!, base: base!, instructions: [] });
    } else if (stage === undefined) {
      const [key, value] = text.split("=", 2);
      defaults.set(key!, value ?? "");
    } else stage.instructions.push({ name, text });
  }
  return { defaults, stages };
}

function instructionsOf(text: string): Instruction[] {
  const lines = text.split("\n").filter((line) => !/^\s*(#|$)/.test(line));
  const joined = lines.join("\n").replaceAll(/\\\n\s*/g, "");
  return joined.split("\n").map((line) => {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line)!;
    return { name: name!, text: rest! };
  });
}

export function textsOf({ instructions }: Stage, name: string): string[] {
  return instructions.filter((instruction) => instruction.name === name).map(({ text }) => text);
}

/** `A=1 B="two words"` as pairs. */
export function pairsOf(text: string): [string, string][] {
  return [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S*))/g)].map(([, key, quoted, bare]) => [
    key!,
    quoted ?? bare!,
  ]);
}

/** Of what is tracked or new here, what .dockerignore lets into a build: it names all that does, after a first line that leaves out everything. */
export function isInContext(file: string): boolean {
  const [first, ...rest] = readFileSync(join(ROOT, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (first !== "*" || !rest.every((line) => /^![\w./-]+$/.test(line)))
    throw new Error(".dockerignore: expected * and then !PATH");
  return rest.map((line) => line.slice(1)).some((path) => file === path || file.startsWith(`${path}/`));
}
