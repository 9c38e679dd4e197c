import { Buffer } from "node:buffer";
import { COLUMNS, NAME_BYTES_MAX } from "../ingest/login.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import { Interner } from "./interner.ts";
import { ENTITY_KINDS, entityKindOf, type LinkKind, RELATION_SEPARATOR } from "./link-kinds.ts";

/** Unknown entity, or absent column, in an array of entity ids by column. */
export const NO_ENTITY = -1;

/** Distinct relations (such as `NTLM::Network`); a link of a further one is kept without its type. */
const RELATIONS_MAX = 65_000;
const SEPARATOR = Buffer.from(RELATION_SEPARATOR);
const RELATION_BYTES_MAX = COLUMNS.length * (NAME_BYTES_MAX + SEPARATOR.length);
const KIND_OF_COLUMN = COLUMNS.map((_, column) => entityKindOf(column));

/** Ids for what a login says in words: its entities, by kind, and the relation of its links. */
export class Names {
  /** By entity kind: users, hosts, values. */
  readonly entities: readonly Interner[] = ENTITY_KINDS.map(() => new Interner());
  /** Names such as `NTLM::Network`. */
  readonly relations = new Interner();
  /** By entity kind: what breaks ties, as it does not depend on order. */
  readonly hashOf: readonly ((id: number) => number)[] = this.entities.map(
    (interner) => (id: number) => interner.hashOf(id),
  );
  readonly #relation = Buffer.alloc(RELATION_BYTES_MAX);

  /** Looks the login's names up: `ids[column]` is the entity, or `NO_ENTITY` if absent or unknown. */
  find(login: LoginBytes, ids: Int32Array): void {
    for (let column = 0; column < COLUMNS.length; column++) {
      ids[column] = login.isAbsent(column)
        ? NO_ENTITY
        : this.entities[KIND_OF_COLUMN[column]!]!.find(
            login.buffers[column]!,
            login.starts[column]!,
            login.ends[column]!,
          );
    }
  }

  /** The entity in one column, which is new if `ids` says so, and is put there. */
  intern(login: LoginBytes, column: number, ids: Int32Array): number {
    const known = ids[column]!;
    if (known !== NO_ENTITY) return known;
    const interner = this.entities[KIND_OF_COLUMN[column]!]!;
    return (ids[column] = interner.intern(
      login.buffers[column]!,
      login.starts[column]!,
      login.ends[column]!,
    ));
  }

  /** One more than the relation's id, or 0 if the login says no type, it is not asked for, or there are too many. */
  internRelation(login: LoginBytes, columns: readonly number[]): number {
    if (columns.length === 0) return 0;
    const length = this.#nameRelation(login, columns);
    const found = this.relations.find(this.#relation, 0, length);
    if (found >= 0) return found + 1;
    return this.relations.size >= RELATIONS_MAX ? 0 : this.relations.intern(this.#relation, 0, length) + 1;
  }

  /** One more than the relation's id, or 0 if there is none yet. */
  findRelation(login: LoginBytes, columns: readonly number[]): number {
    if (columns.length === 0) return 0;
    return this.relations.find(this.#relation, 0, this.#nameRelation(login, columns)) + 1;
  }

  /** Puts the name of a login's relation together. @returns its length */
  #nameRelation({ buffers, starts, ends }: LoginBytes, columns: readonly number[]): number {
    const name = this.#relation;
    let length = 0;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!;
      if (i > 0) length += SEPARATOR.copy(name, length);
      length += buffers[column]!.copy(name, length, starts[column], ends[column]);
    }
    return length;
  }

  /** Keeps the names of a link for as long as it is there; `relation` is 0 for the pair, else one more than its id. */
  retain(kind: LinkKind, relation: number, from: number, to: number): void {
    this.entities[kind.fromKind]!.retain(from);
    this.entities[kind.toKind]!.retain(to);
    if (relation !== 0) this.relations.retain(relation - 1);
  }

  release(kind: LinkKind, relation: number, from: number, to: number): void {
    this.entities[kind.fromKind]!.release(from);
    this.entities[kind.toKind]!.release(to);
    if (relation !== 0) this.relations.release(relation - 1);
  }
}
