import { stripVTControlCharacters } from "node:util";
import type { Screen } from "./screen.ts";

/**
 * A line indented and broken at spaces to fit a terminal, continued two columns further in. A file gets it in one piece, for
 * `grep`. A word longer than a line is left to the terminal.
 */
export function wrapped(line: string, screen: Screen, indent: number): string {
  const margin = " ".repeat(indent);
  if (!screen.isLive) return margin + line;
  const lines: string[] = [];
  let current = margin;
  let width = indent;
  let isEmpty = true;
  for (const word of line.split(" ")) {
    const length = Array.from(stripVTControlCharacters(word)).length;
    if (!isEmpty && width + 1 + length > screen.columns) {
      lines.push(current);
      current = `${margin}  `;
      width = indent + 2;
      isEmpty = true;
    }
    current += isEmpty ? word : ` ${word}`;
    width += isEmpty ? length : length + 1;
    isEmpty = false;
  }
  lines.push(current);
  return lines.join("\n");
}
