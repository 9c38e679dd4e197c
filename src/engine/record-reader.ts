import { LRUCache } from "lru-cache";
import type { Config } from "../config/schema.ts";
import type { Graph } from "../graph-state/graph.ts";
import { findLinkKind } from "../graph-state/link-kinds.ts";
import { type Decoded, ignored, rejected } from "../ingest/decoded.ts";
import type { Decoder } from "../ingest/formats/format.ts";
import { createDecoder } from "../ingest/formats/index.ts";
import type { SchemaSource } from "../ingest/schema-registry.ts";
import { unreadable } from "../ingest/unreadable.ts";
import type { RecordBatch } from "../log/port.ts";
import { type CanaryLogin, readCanary } from "./canary.ts";
import { type Ahead, believesJump } from "./totals.ts";

const MS_PER_DAY = 86_400_000;

export const BLANK_LINE = ignored("blank-line");
const NO_LINK = ignored("no-link");
const DUPLICATE = { kind: "duplicate" } as const;

export type RecordReaderOptions = {
  readonly config: Config;
  /** The graph as it is by now: it may be built anew. */
  readonly graph: () => Graph;
  /** Shared by all partitions, as time is. */
  readonly ahead: Ahead;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Writer schemas of Avro records, where a registry is configured. */
  readonly schemas: SchemaSource | undefined;
  /** Puts something between the decoder and all that follows, such as a renaming. */
  readonly wrapDecoder?: ((decoder: Decoder) => Decoder) | undefined;
};

/** What a record of the input is. A login, or evidence, is the decoder's one reused `LoginBytes`. */
export type ReadRecord = Decoded | typeof DUPLICATE | CanaryLogin;

/** Reads the records of one partition: decodes them, and finds what is a repetition, or from the future. */
export class RecordReader {
  readonly #options: RecordReaderOptions;
  readonly #decoder: Decoder;
  readonly #formsLinkAlways: boolean;
  /** Event ids seen last; made when a record first has one, as it takes its whole room at once. */
  #seen: LRUCache<string, true> | undefined;
  #preparedOffset = -1;

  constructor(options: RecordReaderOptions) {
    this.#options = options;
    const { input } = options.config;
    const decoder = createDecoder(input.format, {
      lanlStartMs: input.lanlStartMs,
      mappings: input.mappings,
      syslogYear: input.syslogYear,
      schemas: options.schemas,
    });
    this.#decoder = options.wrapDecoder?.(decoder) ?? decoder;
    this.#formsLinkAlways = findLinkKind(options.graph().kinds, "user", "targetHost") !== undefined;
  }

  /** What a record needs before it can be read. Asked once for a record: what it was told then is what the decoder goes by. */
  prepare(batch: RecordBatch, i: number): Promise<void> | undefined {
    if (this.#decoder.prepare === undefined) return undefined;
    const offset = batch.offsetOf(i);
    if (offset === this.#preparedOffset) return undefined;
    return this.#decoder.prepare(batch.bufferOf(i), batch.starts[i]!, batch.ends[i]!)?.then(() => {
      this.#preparedOffset = offset;
    });
  }

  /** @throws whatever a bug of a decoder throws */
  read(batch: RecordBatch, i: number): ReadRecord {
    const start = batch.starts[i]!;
    const end = batch.ends[i]!;
    if (start === end) return BLANK_LINE;
    const buffer = batch.bufferOf(i);
    const canary = batch.canaryOf(i);
    const isSound =
      batch.isUtf8 || (canary === undefined && this.#decoder.isBinary?.(buffer, start, end) === true);
    const wrong = unreadable(buffer, start, end, { cutFrom: batch.cutFrom(i), isSound });
    if (wrong !== undefined) return wrong;
    const graph = this.#options.graph();
    if (canary !== undefined)
      return readCanary(canary, buffer.toString("utf8", start, end), graph.window.watermarkMs);
    const decoded = this.#decoder.decode(buffer, start, end);
    if (decoded.kind !== "login" && decoded.kind !== "evidence") return decoded;
    const { login } = decoded;
    const future = this.#future(login.timeMs, graph.window.watermarkMs);
    if (future !== undefined) return future;
    if (!this.#formsLinkAlways && !graph.hasLink(login)) return NO_LINK;
    return login.uid !== undefined && this.#seen?.has(login.uid) === true ? DUPLICATE : decoded;
  }

  /** Further records with this event id are duplicates. False if none are looked for. */
  remember(uid: string): boolean {
    const { duplicatesMax } = this.#options.config.input;
    if (duplicatesMax === 0) return false;
    this.#seen ??= new LRUCache({ max: duplicatesMax });
    this.#seen.set(uid, true);
    return true;
  }

  /** Records with these ids are to be read anew. */
  forget(uids: readonly string[]): void {
    for (const uid of uids) this.#seen?.delete(uid);
  }

  /** One record far in the future may not move the window, nor may a clock that is wrong. */
  #future(timeMs: number, watermarkMs: number): Decoded | undefined {
    const { ahead, config, now } = this.#options;
    if (timeMs <= watermarkMs) {
      ahead.count = 0;
      return undefined;
    }
    if (timeMs > now() + MS_PER_DAY) return rejected("future-time", "more than a day after now");
    const { maxJumpDays } = config.window;
    const maxJumpMs = maxJumpDays * MS_PER_DAY;
    const isAhead = timeMs - watermarkMs > maxJumpMs && watermarkMs !== Number.NEGATIVE_INFINITY;
    if (isAhead && !believesJump(ahead, timeMs, maxJumpMs)) {
      const days = Math.round((timeMs - watermarkMs) / MS_PER_DAY);
      return rejected(
        "future-time",
        `${days} days after the newest record before; window.maxJumpDays is ${maxJumpDays}`,
      );
    }
    ahead.count = 0;
    return undefined;
  }
}
