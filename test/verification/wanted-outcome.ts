import { Buffer, isUtf8 } from "node:buffer";
import type { Config } from "../../src/config/schema.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import type { LoginBytes } from "../../src/ingest/login-bytes.ts";

const MS_PER_DAY = 86_400_000;
/** Event ids of a partition that a worker may remember, and no more than it does. */
const RECENT_UIDS_MAX = 100_000;
const EMPTY = Buffer.alloc(0);

/** What must become of a record: which outputs it has, and whether the graph holds it. */
export type Wanted = {
  /** `maybe`: the event id was there before. Who has seen it leaves the record out, a successor need not know it. */
  readonly scored: "yes" | "no" | "maybe";
  readonly isDead: boolean;
  /** A dead letter because it brings out a bug, not because it can't be read. */
  readonly isPoison: boolean;
  /** What the graph gains. Of a `maybe` only if it was scored. */
  readonly login: LoginBytes | undefined;
};

const NOTHING: Wanted = { scored: "no", isDead: false, isPoison: false, login: undefined };
const DEAD: Wanted = { scored: "no", isDead: true, isPoison: false, login: undefined };
const POISON: Wanted = { ...DEAD, isPoison: true };

/** Which records bring out a bug. */
export type IsPoison = (login: LoginBytes, kind: "login" | "evidence") => boolean;

/** Says of each record of one partition what must become of it, from the input alone: the decoder is asked again. */
export class WantedOutcomes {
  readonly #decoder;
  readonly #recordBytesMax: number;
  readonly #futureMs: number;
  readonly #isPoison: IsPoison;
  readonly #uids = new Set<string>();

  /**
   * @param nowMs what is more than a day later is from the future
   */
  constructor({ input }: Config, nowMs: number, isPoison: IsPoison = () => false) {
    this.#decoder = createDecoder(input.format, input);
    this.#recordBytesMax = input.recordBytesMax;
    this.#futureMs = nowMs + MS_PER_DAY;
    this.#isPoison = isPoison;
  }

  /** In order of offset. What it says of the login is valid until the next call. */
  of(value: Buffer | null): Wanted {
    const bytes = value ?? EMPTY;
    if (bytes.length === 0) return NOTHING;
    if (bytes.length > this.#recordBytesMax || !isUtf8(bytes)) return DEAD;
    const decoded = this.#decoder.decode(bytes, 0, bytes.length);
    if (decoded.kind === "rejected") return DEAD;
    if (decoded.kind === "ignored") return NOTHING;
    const { kind, login } = decoded;
    if (login.timeMs > this.#futureMs) return DEAD;
    if (this.#isPoison(login, kind)) return POISON;
    const isKnown = this.#isKnown(login.uid);
    if (kind === "evidence") return { ...NOTHING, login };
    return { ...NOTHING, scored: isKnown ? "maybe" : "yes", login };
  }

  #isKnown(uid: string | undefined): boolean {
    if (uid === undefined) return false;
    const isKnown = this.#uids.delete(uid);
    this.#uids.add(uid);
    if (this.#uids.size > RECENT_UIDS_MAX) this.#uids.delete(this.#uids.values().next().value!);
    return isKnown;
  }
}
