import { Buffer } from "node:buffer";
import { ignored, type NoLogin, rejected } from "../decoded.ts";

const HEADER = ignored("header");
const NO_FIELDS = rejected("unknown-schema", "no #fields line before it says what its columns are");

/** A line of a log: which log, as far as the header says, and its columns by name; empty for what is unset. */
export type TsvRecord = {
  readonly log: string;
  readonly names: ReadonlySet<string>;
  readonly field: (name: string) => string;
};

type Header = {
  readonly separator: string;
  readonly unset: string;
  readonly empty: string;
  readonly log: string;
  readonly columns: ReadonlyMap<string, number>;
  readonly names: ReadonlySet<string>;
};

/** What Zeek writes unless it was told otherwise. */
const DEFAULTS: Header = {
  separator: "\t",
  unset: "-",
  empty: "(empty)",
  log: "",
  columns: new Map(),
  names: new Set(),
};

/** Reads Zeek's lines of columns; their header lines say what the lines after them mean, so one instance serves one input. */
export class ZeekTsvReader {
  #header = DEFAULTS;

  read(line: string): TsvRecord | NoLogin {
    if (line.startsWith("#")) {
      this.#header = headerWith(this.#header, line);
      return HEADER;
    }
    const { separator, columns, names, log, unset, empty } = this.#header;
    if (columns.size === 0) return NO_FIELDS;
    const values = line.split(separator);
    if (values.length !== columns.size)
      return rejected("wrong-column-count", `${values.length} columns, expected ${columns.size}`);
    return {
      log,
      names,
      field(name) {
        const value = values[columns.get(name) ?? -1] ?? unset;
        return value === unset || value === empty ? "" : unescaped(value);
      },
    };
  }
}

function headerWith(header: Header, line: string): Header {
  if (line.startsWith("#separator ")) {
    // The first line of a file: what was said before is of another file.
    return { ...DEFAULTS, separator: unescaped(line.slice("#separator ".length)) || DEFAULTS.separator };
  }
  const [key, ...values] = line.split(header.separator);
  const first = values[0] ?? "";
  if (key === "#unset_field") return { ...header, unset: first };
  if (key === "#empty_field") return { ...header, empty: first };
  if (key === "#path") return { ...header, log: first.toLowerCase() };
  // Without a size of its own, a name twice would make each line too long.
  if (key === "#fields" && new Set(values).size === values.length) {
    return { ...header, columns: new Map(values.map((name, i) => [name, i])), names: new Set(values) };
  }
  return header;
}

/** Zeek writes bytes that would break a line as `\x09`, and a backslash twice. */
function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replaceAll(/\\\\|(?:\\x[0-9a-fA-F]{2})+/g, (escaped) =>
    escaped === "\\\\" ? "\\" : Buffer.from(escaped.replaceAll("\\x", ""), "hex").toString("utf8"),
  );
}
