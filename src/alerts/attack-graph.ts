import type { Leg } from "../graph-state/stories.ts";
import type { AttackGraph } from "./detection-finding.ts";
import type { Usual } from "./odd-login.ts";

type Node = AttackGraph["nodes"][number];
type Edge = AttackGraph["edges"][number];
type Kind = "user" | "host";

const TYPES: Readonly<Record<Kind, string>> = { user: "User", host: "Host" };

/** How what is usual for an entity hangs together with it: what stands at the other end, and which way the link leads. */
type Link = { readonly peer: Kind; readonly leadsTo: boolean; readonly relation: string };
const FROM: Link = { peer: "host", leadsTo: true, relation: "logs on from" };
const LINKS: ReadonlyMap<string, Link> = new Map([
  ["user sourceHost", FROM],
  ["user targetHost", { peer: "host", leadsTo: true, relation: "logs on to" }],
  ["host user", { ...FROM, peer: "user", leadsTo: false }],
  ["host targetHost", { peer: "host", leadsTo: true, relation: "reaches" }],
  ["host sourceHost", { peer: "host", leadsTo: false, relation: "reaches" }],
]);

/**
 * The incident drawn as a graph: the account and hosts of the login, and of the alerts before it, joined by what was odd, and one hop around the login:
 * what is usual for its account and hosts, as far as the alert lists it (`Usual`), so it is as bounded as that, and as legs are. Undefined for a login that joins no two entities.
 *
 * Nodes are called `user/NAME` and `host/NAME`, so that the graphs of several alerts can be laid over each other. An odd edge has `odd-login`
 * for its name; another one says how often it was seen.
 */
export function attackGraphOf(odd: {
  readonly login: Leg;
  readonly incidentLegs?: readonly Leg[];
  readonly usual: readonly Usual[];
}): AttackGraph | undefined {
  const nodes = new Map<string, Node>();
  const edges = new Map<string, Edge>();
  const put = (kind: Kind, name: string): string => {
    const uid = `${kind}/${name}`;
    if (!nodes.has(uid)) nodes.set(uid, { uid, name, type: TYPES[kind] });
    return uid;
  };
  const join = (
    source: string,
    target: string,
    relation: string,
    more: Pick<Edge, "name" | "data">,
  ): void => {
    const uid = JSON.stringify([source, relation, target]);
    if (source !== target && !edges.has(uid))
      edges.set(uid, { uid, ...more, source, target, relation, is_directed: true });
  };
  const joinOdd = (source: string, target: string, relation: string): void =>
    join(source, target, relation, { name: "odd-login", data: { isOdd: true } });
  const joinLeg = ({ user, sourceHost, targetHost }: Leg): void => {
    if (user !== "" && sourceHost !== "") joinOdd(put("user", user), put("host", sourceHost), FROM.relation);
    if (user !== "" && targetHost !== "") joinOdd(put("user", user), put("host", targetHost), "logs on to");
    if (sourceHost !== "" && targetHost !== "")
      joinOdd(put("host", sourceHost), put("host", targetHost), "reaches");
  };
  joinLeg(odd.login);
  if (edges.size === 0) return undefined;
  for (const leg of odd.incidentLegs ?? []) joinLeg(leg);
  for (const usual of odd.usual) joinUsual(usual, put, join);
  return {
    name: "the incident and what is usual",
    is_directed: true,
    nodes: [...nodes.values()],
    edges: [...edges.values()],
  };
}

function joinUsual(
  { parameter, entity, entityKind, values }: Usual,
  put: (kind: Kind, name: string) => string,
  join: (source: string, target: string, relation: string, more: Pick<Edge, "name" | "data">) => void,
): void {
  const link = LINKS.get(`${entityKind} ${parameter}`);
  if (link === undefined || entity === "") return;
  const own = put(entityKind, entity);
  for (const { value, count } of values) {
    if (value === "") continue;
    const peer = put(link.peer, value);
    const [source, target] = link.leadsTo ? [own, peer] : [peer, own];
    join(source, target, link.relation, {
      name: `${count} ${count === 1 ? "login" : "logins"}`,
      data: { isOdd: false, logins: count },
    });
  }
}
