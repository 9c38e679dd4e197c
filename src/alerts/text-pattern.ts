/** Texts that a name may be: letters in any case, `*` stands for any characters, none included. */
export class TextPatterns {
  readonly #exact: ReadonlySet<string>;
  /** What lies between the asterisks of each. */
  readonly #parts: readonly (readonly string[])[];

  constructor(patterns: readonly string[]) {
    const folded = patterns.map(foldCase);
    this.#exact = new Set(folded.filter((pattern) => !pattern.includes("*")));
    this.#parts = folded.filter((pattern) => pattern.includes("*")).map((pattern) => pattern.split("*"));
  }

  /** True if the whole text is one of them; an absent name is none. */
  matches(text: string): boolean {
    if (text === "") return false;
    const folded = foldCase(text);
    return this.#exact.has(folded) || this.#parts.some((parts) => hasParts(folded, parts));
  }
}

/**
 * The parts in order, the first at the beginning, the last at the end, the others wherever they come first. Taking the first
 * place is never wrong, so that nothing is tried twice: a regular expression would, and its names are an attacker's choice.
 */
function hasParts(text: string, parts: readonly string[]): boolean {
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/**
 * Small letters, but only of what is the capital of one and nothing else: the sign of Kelvin is no k, or who may choose a name could pass
 * for another one.
 */
function foldCase(text: string): string {
  if (/^[ -~]*$/.test(text)) return text.toLowerCase();
  return Array.from(text, (letter) => {
    const small = letter.toLowerCase();
    return small.toUpperCase() === letter ? small : letter;
  }).join("");
}
