import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Decoded } from "../ingest/decoded.ts";
import { changing, type Decoder } from "../ingest/formats/format.ts";
import { COLUMNS, type Login } from "../ingest/login.ts";
import { LoginBytes, SOURCE_HOST, TARGET_HOST, TARGET_USER, USER } from "../ingest/login-bytes.ts";

const KEY_BYTES = 32;
/** Hexadecimal digits of a pseudonym: 64 bits, so that among a million names two are equal with probability 3e-8. */
const PSEUDONYM_LENGTH = 16;
/** Names kept with their pseudonym, some 150 B each; one that fell out gets the same pseudonym again. */
const NAMES_COUNT_MAX = 200_000;
const UNKNOWN_DOMAIN = "?";
const ACCOUNT_COLUMNS = [USER, TARGET_USER];
const HOST_COLUMNS = [SOURCE_HOST, TARGET_HOST];

/** A key that nobody has seen before. */
export function randomKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** The key that a seed stands for, the same every time: for figures that somebody else must be able to repeat. */
export function keyOfSeed(seed: number): Buffer {
  return createHmac("sha256", "oddlink evaluate").update(String(seed)).digest();
}

/**
 * Replaces the names of users and hosts by keyed pseudonyms before anything is scored, so that nothing that was ever learnt
 * about a name from elsewhere can help. Equal names stay equal, and different ones different.
 *
 * What is left of a name is its structure: the `$` of a machine account and the `@` before a domain stay where they are,
 * and a part of a name gets the same pseudonym wherever it stands. So the account `C1$@DOM1` still belongs to the host `C1`,
 * and an account of a host's own domain still names that host. Auth types and logon types are no names of entities: they
 * stay as they are.
 */
export class Renaming {
  readonly #key: Buffer;
  readonly #accounts = new LRUCache<string, Buffer>({ max: NAMES_COUNT_MAX });
  readonly #hosts = new LRUCache<string, Buffer>({ max: NAMES_COUNT_MAX });
  readonly #original = new LoginBytes();

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** A decoder whose logins have pseudonyms; nothing else about its records changes. */
  wrap(decoder: Decoder): Decoder {
    return changing(decoder, (decoded) => this.#rename(decoded));
  }

  /** The login decoded last under the names it came with: labels name those. Valid until the next record is decoded. */
  original(): Login {
    return this.#original.toLogin();
  }

  account(name: string): string {
    const at = name.lastIndexOf("@");
    if (at > 0) return `${this.#machine(name.slice(0, at))}@${this.#domain(name.slice(at + 1))}`;
    return this.#machine(name);
  }

  host(name: string): string {
    return this.#part(name);
  }

  #machine(account: string): string {
    return account.endsWith("$") ? `${this.#part(account.slice(0, -1))}$` : this.#part(account);
  }

  /** A source may say that it does not know the domain: that is no name. */
  #domain(domain: string): string {
    return domain === UNKNOWN_DOMAIN ? domain : this.#part(domain);
  }

  #part(text: string): string {
    return text === ""
      ? ""
      : createHmac("sha256", this.#key).update(text).digest("hex").slice(0, PSEUDONYM_LENGTH);
  }

  #rename(decoded: Decoded): Decoded {
    if (decoded.kind !== "login" && decoded.kind !== "evidence") return decoded;
    const { login } = decoded;
    const original = this.#original;
    original.timeMs = login.timeMs;
    original.outcome = login.outcome;
    original.evidence = login.evidence;
    original.uid = login.uid;
    for (let column = 0; column < COLUMNS.length; column++) original.copyFrom(login, column);
    for (const column of ACCOUNT_COLUMNS) {
      this.#replace(login, column, this.#accounts, (name) => this.account(name));
    }
    for (const column of HOST_COLUMNS) this.#replace(login, column, this.#hosts, (name) => this.host(name));
    return decoded;
  }

  #replace(
    login: LoginBytes,
    column: number,
    cache: LRUCache<string, Buffer>,
    pseudonymOf: (name: string) => string,
  ): void {
    if (login.isAbsent(column)) return;
    const name = login.text(column);
    let pseudonym = cache.get(name);
    if (pseudonym === undefined) cache.set(name, (pseudonym = Buffer.from(pseudonymOf(name))));
    login.set(column, pseudonym, 0, pseudonym.length);
  }
}
