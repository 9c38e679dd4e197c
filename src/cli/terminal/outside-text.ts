import { shown } from "../../alerts/wording.ts";

/** Longest name shown, in characters; an attacker chooses names, and may choose long ones. */
export const NAME_LENGTH_MAX = 64;

/** Longest sentence shown, in characters. */
const SENTENCE_LENGTH_MAX = 400;

/**
 * An account, host or type name as it may go to a terminal: control characters (escape sequences, line breaks), bidirectional
 * overrides and invisible characters are spelled out like `\u{202e}`, so that a name can neither repaint the screen nor
 * pass for another one. `?` for what is missing or no text.
 */
export function nameText(name: unknown): string {
  return sentenceText(name, NAME_LENGTH_MAX) || "?";
}

/** A sentence that has names in it, made safe in the same way; empty for what is missing or no text. */
export function sentenceText(text: unknown, lengthMax = SENTENCE_LENGTH_MAX): string {
  if (typeof text !== "string") return "";
  // Cut before the costly part too: a character is at most two units.
  return shortened(shown(text.slice(0, 2 * lengthMax + 2)), lengthMax);
}

/** At most `lengthMax` characters, the last one an ellipsis if something is missing. Never half a surrogate pair. */
export function shortened(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const characters = Array.from(text);
  if (characters.length <= lengthMax) return text;
  return lengthMax < 1 ? "" : `${characters.slice(0, lengthMax - 1).join("")}…`;
}
