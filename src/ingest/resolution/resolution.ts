import type { Decoder } from "../formats/format.ts";
import { changing } from "../formats/format.ts";
import { type LoginBytes, SOURCE_HOST, TARGET_HOST, TARGET_USER, USER } from "../login-bytes.ts";
import type { LookAside } from "./look-aside.ts";

/** Tables that are looked at; both are optional. */
export type Tables = { readonly hosts?: LookAside | undefined; readonly users?: LookAside | undefined };

/**
 * A decoder whose logins have the names that the tables give, in the place of addresses and aliases; a name that is in no table stays.
 *
 * All else about a record, its evidence too, is what it was without them.
 */
export function resolving(decoder: Decoder, { hosts, users }: Tables): Decoder {
  if (hosts === undefined && users === undefined) return decoder;
  return changing(decoder, (decoded) => {
    if (decoded.kind !== "login" && decoded.kind !== "evidence") return decoded;
    const { login } = decoded;
    if (hosts !== undefined) {
      replace(login, SOURCE_HOST, hosts);
      replace(login, TARGET_HOST, hosts);
    }
    if (users !== undefined) {
      replace(login, USER, users);
      replace(login, TARGET_USER, users);
    }
    return decoded;
  });
}

function replace(login: LoginBytes, column: number, table: LookAside): void {
  if (login.isAbsent(column)) return;
  const name = table.find(login.text(column));
  if (name !== undefined) login.set(column, name, 0, name.length);
}
