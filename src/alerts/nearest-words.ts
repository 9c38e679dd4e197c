import type { Column } from "../ingest/login.ts";
import type { NearestLogin } from "./nearest-login.ts";
import { minuteOf, times } from "./quantities.ts";

const COLUMN_WORDS: Readonly<Record<Column, string>> = {
  user: "the account",
  targetUser: "the account logged in",
  sourceHost: "the source host",
  targetHost: "the target host",
  authType: "the auth type",
  logonType: "the logon type",
};

/**
 * "Nearest normal login: the same account from C123 to the same host (Kerberos, Network), at most 412 times, last on 1970-01-02 17:57 UTC; here the
 * source host differs".
 *
 * @param isExact whether it has one link, so that its numbers are no bounds
 */
export function nearestText(nearest: Omit<NearestLogin, "text">, isExact: boolean): string {
  const { user, sourceHost, targetHost, authType, logonType, logins, lastSeenMs, differs } = nearest;
  const isLocal = sourceHost !== "" && sourceHost === targetHost;
  const host = (word: string, name: string, column: Column): string =>
    name === "" ? "" : ` ${word} ${differs.includes(column) ? name : "the same host"}`;
  const who = user === "" ? "a login" : differs.includes("user") ? user : "the same account";
  const where = isLocal
    ? host("on", sourceHost, "sourceHost")
    : host("from", sourceHost, "sourceHost") + host("to", targetHost, "targetHost");
  const types = [authType, logonType].filter((type) => type !== null && type !== "");
  const how = types.length === 0 ? "" : ` (${types.join(", ")})`;
  const many = `${isExact ? "" : "at most "}${times(logins)}`;
  return `Nearest normal login: ${who}${where}${how}, ${many}, last on ${minuteOf(lastSeenMs)}; ${difference(differs, isLocal)}`;
}

function difference(differs: readonly Column[], isLocal: boolean): string {
  // Of a login on one host both columns are the same host.
  const words = differs.flatMap((column) =>
    !isLocal
      ? [COLUMN_WORDS[column]]
      : column === "targetHost"
        ? []
        : [column === "user" ? "the account" : "the host"],
  );
  const last = words.pop();
  if (last === undefined) return "nothing of that differs here";
  return words.length === 0 ? `here ${last} differs` : `here ${words.join(", ")} and ${last} differ`;
}
