import { CsvError } from "csv-parse";
import { OddlinkError } from "../errors.ts";
import { csvRows } from "../ingest/csv-rows.ts";
import { COLUMNS, type Column, type Login, NAME_BYTES_MAX, OUTCOMES } from "../ingest/login.ts";

/** A column that a label file may name. `time` is in the source's own unit, `timeMs` in milliseconds since the epoch. */
export const LABEL_COLUMNS = ["time", "timeMs", ...COLUMNS, "outcome"] as const;
export type LabelColumn = (typeof LABEL_COLUMNS)[number];
/** A column that is compared with nothing: what kind of attack the login is part of, in any words. */
const SCENARIO = "scenario";

/** Most distinct labels kept; one takes about 0.4 kB, so the bound is some 400 MB. */
export const LABELS_COUNT_MAX = 1_000_000;

/** A label that was read: where it stands in the file, and its cells as written there, joined by commas. */
export type Label = {
  readonly line: number;
  readonly text: string;
  /** Undefined where the file has no such column, or the cell is empty. */
  readonly scenario?: string | undefined;
};

export type ReadLabelsOptions = {
  /** A `time` cell to milliseconds since the epoch; throws or answers NaN or undefined for what is no time. */
  readonly toTimeMs: (text: string) => number | undefined;
  /** Default `LABELS_COUNT_MAX`. */
  readonly countMax?: number | undefined;
};

/** What is compared: a column of the login, or `lanlUser`, the only column of LANL's file that is not named as it is meant. */
type Field = "timeMs" | Column | "outcome" | "lanlUser";

const LANL_FIELDS: readonly Field[] = ["timeMs", "lanlUser", "sourceHost", "targetHost"];
const LANL_COLUMNS: readonly LabelColumn[] = ["time", "user", "sourceHost", "targetHost"];

type Row = Label & { matched: boolean };

/**
 * The labels of an evaluation. Two look-ups a login: a set of the most selective field turns nearly every login away
 * without building a string, then one map from all named fields decides.
 */
export class Labels {
  /** Rows read, duplicates included, the header and blank lines not. */
  readonly lines: number;
  /** The columns of logins that the file names, in its order. */
  readonly columns: readonly LabelColumn[];
  readonly #fields: readonly Field[];
  readonly #rows: ReadonlyMap<string, Row>;
  readonly #selector: Field;
  readonly #selected: ReadonlySet<string | number>;

  constructor(
    columns: readonly LabelColumn[],
    fields: readonly Field[],
    lines: number,
    rows: ReadonlyMap<string, Row>,
    valuesByField: readonly ReadonlySet<string | number>[],
  ) {
    this.columns = columns;
    this.lines = lines;
    this.#fields = fields;
    this.#rows = rows;
    let best = 0;
    for (let i = 1; i < fields.length; i++) if (valuesByField[i].size > valuesByField[best].size) best = i;
    this.#selector = fields[best];
    this.#selected = valuesByField[best];
  }

  /** Number of different labels. */
  get distinct(): number {
    return this.#rows.size;
  }

  /** Number of labels that `matches` has found at least once. */
  get matched(): number {
    let count = 0;
    for (const row of this.#rows.values()) if (row.matched) count++;
    return count;
  }

  /** Whether all named columns of a label equal this login's; remembers that the label was found. */
  matches(login: Login): boolean {
    return this.find(login) !== undefined;
  }

  /** The label whose named columns all equal this login's; remembers that it was found. */
  find(login: Login): Label | undefined {
    if (!this.#selected.has(fieldOf(login, this.#selector))) return undefined;
    const row = this.#rows.get(keyOf(this.#fields.map((field) => fieldOf(login, field))));
    if (row !== undefined) row.matched = true;
    return row;
  }

  /** Labels that no login matched so far, in the order of the file, at most `countMax`. */
  unmatched(countMax = Number.POSITIVE_INFINITY): Label[] {
    const labels: Label[] = [];
    for (const row of this.#rows.values()) {
      if (labels.length >= countMax) break;
      if (!row.matched) labels.push({ line: row.line, text: row.text });
    }
    return labels;
  }
}

/**
 * Reads a label file, plain or gzip: LANL's `redteam.txt` as it is (time, user, source host, target host; no header), or a
 * CSV whose header names any of `LABEL_COLUMNS`, and perhaps `scenario`. An empty name cell equals "the login does not say".
 * Of labels that are equal but for their scenario the first counts.
 *
 * In LANL's form the user is compared with the login's target user, and with its user where no target user is given.
 *
 * @throws {OddlinkError} LABELS_INVALID with the line, for a bad row, an unknown column, an empty or damaged file;
 *   SOURCE_NOT_FOUND or SOURCE_UNREADABLE if the file can't be opened
 */
export async function readLabels(file: string, options: ReadLabelsOptions): Promise<Labels> {
  const countMax = options.countMax ?? LABELS_COUNT_MAX;
  const rows = new Map<string, Row>();
  let lines = 0;
  let line = 0;
  let form: Form | undefined;
  let valuesByField: Set<string | number>[] = [];
  const fail = (detail: string): never => {
    throw new OddlinkError("LABELS_INVALID", `${file} line ${line}: ${detail}`);
  };
  try {
    for await (const { info, record } of csvRows(file)) {
      line = info.lines;
      if (record.length === 1 && record[0] === "") continue;
      if (form === undefined) {
        form = formOf(record, fail);
        valuesByField = form.fields.map(() => new Set());
        if (form.hasHeader) continue;
      }
      const values = valuesOf(record, form, options.toTimeMs, fail);
      lines++;
      const key = keyOf(values);
      if (rows.has(key)) continue;
      if (rows.size >= countMax) fail(`more than ${countMax} different labels, which is the limit`);
      const scenario = form.scenarioAt === undefined ? undefined : record[form.scenarioAt] || undefined;
      rows.set(key, { line, text: record.join(","), scenario, matched: false });
      for (let i = 0; i < values.length; i++) valuesByField[i].add(values[i]);
    }
  } catch (error) {
    throw explained(error, file, line);
  }
  if (form === undefined || lines === 0) {
    throw new OddlinkError(
      "LABELS_INVALID",
      `${file} holds no labels${form === undefined ? "" : ", only a header"}`,
    );
  }
  return new Labels(form.columns, form.fields, lines, rows, valuesByField);
}

type Form = {
  /** What the cells are, in the order of the file, without the scenario. */
  readonly columns: readonly LabelColumn[];
  readonly fields: readonly Field[];
  /** Where in a row the scenario stands. */
  readonly scenarioAt: number | undefined;
  readonly hasHeader: boolean;
};
type Fail = (detail: string) => never;

/** A first cell that is a number can't be a column's name: then the file is LANL's own. */
function formOf(record: readonly string[], fail: Fail): Form {
  if (/^\d+(\.\d+)?$/.test(record[0])) {
    return { columns: LANL_COLUMNS, fields: LANL_FIELDS, scenarioAt: undefined, hasHeader: false };
  }
  const columns: LabelColumn[] = [];
  let scenarioAt: number | undefined;
  for (const [i, cell] of record.entries()) {
    if (cell === SCENARIO) {
      if (scenarioAt !== undefined) fail(`column ${SCENARIO} is named twice`);
      scenarioAt = i;
      continue;
    }
    const column = LABEL_COLUMNS.find((known) => known === cell);
    if (column === undefined) {
      return fail(
        `unknown column ${quoted(cell)}; a header names any of ${LABEL_COLUMNS.join(", ")}, and ${SCENARIO}, ` +
          "and a file without one has LANL's four columns: time, user, source host, target host",
      );
    }
    if (columns.includes(column)) fail(`column ${column} is named twice`);
    columns.push(column);
  }
  if (columns.includes("time") && columns.includes("timeMs"))
    fail("both time and timeMs are named; give one");
  if (columns.length === 0) fail(`${SCENARIO} alone names no column of a login`);
  return {
    columns,
    fields: columns.map((column) => (column === "time" ? "timeMs" : column)),
    scenarioAt,
    hasHeader: true,
  };
}

function valuesOf(
  record: readonly string[],
  { columns, fields, scenarioAt }: Form,
  toTimeMs: ReadLabelsOptions["toTimeMs"],
  fail: Fail,
): (string | number)[] {
  const names: string[] = [...columns];
  if (scenarioAt !== undefined) names.splice(scenarioAt, 0, SCENARIO);
  if (record.length !== names.length) {
    fail(`${record.length} columns, expected ${names.length}: ${names.join(", ")}`);
  }
  const cells = scenarioAt === undefined ? record : record.toSpliced(scenarioAt, 1);
  return cells.map((cell, i) => {
    if (fields[i] === "timeMs") return timeOf(cell, columns[i], toTimeMs, fail);
    if (fields[i] === "outcome" && !(OUTCOMES as readonly string[]).includes(cell)) {
      fail(`outcome ${quoted(cell)} is none of ${OUTCOMES.join(", ")}`);
    }
    // A login always names its user, and LANL's file names everything: such a label would only ever go unmatched.
    if (cell === "" && (fields === LANL_FIELDS || fields[i] === "user")) fail(`${columns[i]} is empty`);
    if (Buffer.byteLength(cell) > NAME_BYTES_MAX)
      fail(`${columns[i]} is longer than ${NAME_BYTES_MAX} bytes`);
    return cell;
  });
}

function timeOf(
  cell: string,
  column: LabelColumn,
  toTimeMs: ReadLabelsOptions["toTimeMs"],
  fail: Fail,
): number {
  let timeMs: number | undefined;
  if (column === "timeMs") {
    timeMs = /^\d+(\.\d+)?$/.test(cell) ? Number(cell) : undefined;
  } else {
    try {
      timeMs = toTimeMs(cell);
    } catch (error) {
      return fail(`${quoted(cell)} is not a time of this source (${messageOf(error)})`);
    }
  }
  if (timeMs !== undefined && Number.isFinite(timeMs)) return timeMs;
  return fail(
    `${quoted(cell)} is not ${column === "timeMs" ? "a time in milliseconds" : "a time of this source"}`,
  );
}

function fieldOf(login: Login, field: Field): string | number {
  if (field !== "lanlUser") return login[field];
  // Extracts of LANL's file lack the target account, which equals the source account in 98.5 % of its rows.
  return login.targetUser === "" ? login.user : login.targetUser;
}

/** Lengths before the values, so that no name can pretend to be two columns. */
function keyOf(values: readonly (string | number)[]): string {
  let key = "";
  for (const value of values) {
    const text = typeof value === "number" ? String(value) : value;
    key += `${text.length}:${text}`;
  }
  return key;
}

/** What went wrong, in the closed list's words: bytes that are no CSV or no gzip are bad labels, the rest is the file. */
function explained(error: unknown, file: string, line: number): unknown {
  const options = { cause: error };
  if (error instanceof CsvError) {
    const at = typeof error.lines === "number" ? error.lines : line + 1;
    return new OddlinkError("LABELS_INVALID", `${file} line ${at}: ${messageOf(error)}`, options);
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === "LABELS_INVALID") return error;
  // Unpacking speaks of a source, and of its records that were kept; zlib names its own errors Z_.
  if (error instanceof OddlinkError || code?.startsWith("Z_")) {
    return new OddlinkError(
      "LABELS_INVALID",
      `${file} is damaged gzip or cut short, after line ${line}`,
      options,
    );
  }
  if (code === "ENOENT")
    return new OddlinkError("SOURCE_NOT_FOUND", `label file ${file} is not there`, options);
  if (code === "EISDIR")
    return new OddlinkError("SOURCE_NOT_FOUND", `label file ${file} is a folder`, options);
  if (code !== undefined) {
    return new OddlinkError("SOURCE_UNREADABLE", `label file ${file} can't be read (${code})`, options);
  }
  return error;
}

function messageOf(error: unknown): string {
  // csv-parse quotes the cell it stumbled over.
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\p{Cc}/gu, " ").slice(0, 200);
}

/** A cell as it may be shown: JSON's escapes keep control characters off the terminal. */
function quoted(cell: string): string {
  return JSON.stringify(cell.length > 64 ? `${cell.slice(0, 64)}...` : cell);
}
