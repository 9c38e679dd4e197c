import { isIP } from "node:net";
import type { Endpoint, Observable, User } from "./detection-finding.ts";

/** The schema takes no longer address. Zones and spelled-out embedded IPv4 can exceed it: then it is just a name. */
const IP_CHARS_MAX = 40;

/**
 * The domain in `name@domain`, or "" where there is none or the source says it does not know it (`?`).
 *
 * The last `@` counts: names may hold one, domains may not.
 */
export function domainOf(account: string): string {
  const at = account.lastIndexOf("@");
  const domain = at > 0 ? account.slice(at + 1) : "";
  return domain === "?" ? "" : domain;
}

/**
 * An account as an OCSF user, or undefined for an empty name.
 *
 * `name` is the whole account as the login has it, `C1$@DOM1` with its domain: that is the key of the graph, and what
 * finds the login in its own log. `domain` repeats the part behind the `@` for who groups by it. Only machine accounts
 * (`$` before the `@`) get a type; a name does not tell a person from a service.
 */
export function userOf(account: string): User | undefined {
  if (account === "") return undefined;
  const domain = domainOf(account);
  const at = account.lastIndexOf("@");
  const isMachine = (at > 0 ? account.slice(0, at) : account).endsWith("$");
  return {
    name: account,
    ...(domain !== "" && { domain }),
    ...(isMachine && { type: "System", type_id: 3 }),
  };
}

/**
 * A host as an OCSF endpoint, or undefined for an empty name. `name` is always the login's own word; beside it stands
 * `ip` or `hostname`, so that an address never lands in a field of host names, nor the other way round.
 */
export function endpointOf(host: string): Endpoint | undefined {
  if (host === "") return undefined;
  return isAddress(host) ? { name: host, ip: host } : { name: host, hostname: host };
}

/** A user name to pivot on; `path` is where in the finding it stands. */
export function userObservable(path: string, user: User | undefined): Observable[] {
  return user === undefined
    ? []
    : [{ name: `${path}.name`, type: "User Name", type_id: 4, value: user.name }];
}

/** A host name or address to pivot on; `path` is where in the finding its endpoint stands. */
export function endpointObservable(path: string, endpoint: Endpoint | undefined): Observable[] {
  if (endpoint === undefined) return [];
  return "ip" in endpoint
    ? [{ name: `${path}.ip`, type: "IP Address", type_id: 2, value: endpoint.ip }]
    : [{ name: `${path}.hostname`, type: "Hostname", type_id: 1, value: endpoint.hostname }];
}

function isAddress(host: string): boolean {
  return isIP(host) !== 0 && host.length <= IP_CHARS_MAX && !host.includes("%");
}
