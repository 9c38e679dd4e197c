import { z } from "zod";
import { COLUMNS, type Column } from "../ingest/login.ts";
import { AUTH_TYPE, columnIndex, LOGON_TYPE, type LoginBytes } from "../ingest/login-bytes.ts";

/** What a node can be. Users and hosts are the entities; values are auth and logon types, ends of profile links only. */
export const ENTITY_KINDS = ["user", "host", "value"] as const;
export const USER_KIND = 0;
export const HOST_KIND = 1;
export const VALUE_KIND = 2;
export type EntityKind = 0 | 1 | 2;

/** In a relation's name, and in the setting that says what it is made of, between two columns. */
export const RELATION_SEPARATOR = "::";
const UNTYPED = "untyped";

const ENTITY_COLUMNS = ["user", "targetUser", "sourceHost", "targetHost"] as const;

/** Which columns form a link: the notebook's SRC and DST, and what its relation is. */
export const linkKindSchema = z.strictObject({
  from: z.enum(ENTITY_COLUMNS).describe("column the link starts from"),
  to: z.enum(ENTITY_COLUMNS).describe("column the link goes to"),
  relation: z
    .string()
    .refine((relation) => relation === UNTYPED || areColumns(relation.split(RELATION_SEPARATOR)), {
      message: `expected ${UNTYPED}, or different ones of ${COLUMNS.join(", ")} with ${RELATION_SEPARATOR} between them`,
    })
    .default(UNTYPED)
    .describe(
      `what tells two links of the same ends apart: ${UNTYPED}, or one or more of ${COLUMNS.join(", ")} with ${RELATION_SEPARATOR} between them`,
    ),
});
export type LinkKindConfig = z.infer<typeof linkKindSchema>;

/** More link kinds would not fit a link's key. */
export const LINK_KINDS_MAX = 16;

export const DEFAULT_LINK_KINDS: readonly LinkKindConfig[] = [
  { from: "user", to: "sourceHost", relation: "untyped" },
  { from: "user", to: "targetHost", relation: "untyped" },
  { from: "sourceHost", to: "targetHost", relation: "authType::logonType" },
];

/** One kind of link, ready for the hot path: column positions instead of names. */
export type LinkKind = {
  readonly index: number;
  /** Such as `user-sourceHost`. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly fromKind: EntityKind;
  readonly toKind: EntityKind;
  /** Columns whose values tell two links of the same ends apart; none if links are untyped. */
  readonly relation: readonly number[];
  /** A profile link leads from an entity to a value it uses; it feeds "most common auth type" and p(auth type | user). */
  readonly isProfile: boolean;
};

/** Which entity uses which auth and logon types, in which role: the categorical fields of the notebook's node features. */
const PROFILE_COLUMNS: readonly (readonly [Column, Column])[] = [
  ["user", "authType"],
  ["user", "logonType"],
  ["sourceHost", "authType"],
  ["sourceHost", "logonType"],
  ["targetHost", "authType"],
  ["targetHost", "logonType"],
];

/** The configured link kinds followed by the profile links. */
export function linkKinds(configured: readonly LinkKindConfig[]): readonly LinkKind[] {
  const links = configured.map(({ from, to, relation }) => ({
    from,
    to,
    relation: relation === UNTYPED ? [] : relation.split(RELATION_SEPARATOR).map(toColumnIndex),
    isProfile: false,
  }));
  const profiles = PROFILE_COLUMNS.map(([from, to]) => ({ from, to, relation: [], isProfile: true }));
  return [...links, ...profiles].map(({ from, to, relation, isProfile }, index) => ({
    index,
    name: `${from}-${to}`,
    from: columnIndex(from),
    to: columnIndex(to),
    fromKind: entityKindOf(columnIndex(from)),
    toKind: entityKindOf(columnIndex(to)),
    relation,
    isProfile,
  }));
}

function areColumns(names: readonly string[]): boolean {
  return new Set(names).size === names.length && names.every((name) => COLUMNS.includes(name as Column));
}

function toColumnIndex(name: string): number {
  return columnIndex(name as Column);
}

/** The kind that leads from one column to another, or undefined if none is configured. */
export function findLinkKind(kinds: readonly LinkKind[], from: Column, to: Column): LinkKind | undefined {
  return kinds.find((kind) => kind.from === columnIndex(from) && kind.to === columnIndex(to));
}

/** A link needs both ends, and no entity is linked with itself: a local login has no journey from host to host. */
export function isFormed(kind: LinkKind, login: LoginBytes): boolean {
  if (login.isAbsent(kind.from) || login.isAbsent(kind.to)) return false;
  return kind.fromKind !== kind.toKind || !login.isSame(kind.from, kind.to);
}

/** What the values of a column are. */
export function entityKindOf(column: number): EntityKind {
  if (column === AUTH_TYPE || column === LOGON_TYPE) return VALUE_KIND;
  return COLUMNS[column]!.endsWith("Host") ? HOST_KIND : USER_KIND;
}
