import type { Graph } from "../graph-state/graph.ts";
import { findLinkKind, type LinkKind } from "../graph-state/link-kinds.ts";
import { NO_ENTITY } from "../graph-state/names.ts";

const MS_PER_DAY = 86_400_000;
/** A host is known to be weak-only after so many weak logins over so long. */
const WEAK_LOGINS_MIN = 10;
const SPAN_MS_MIN = MS_PER_DAY;
/** Of more accounts than that with strong evidence on a host, one is a person's. */
const MACHINE_ACCOUNTS_MAX = 8;
/** Hosts that are listed; of further ones the logins are counted all the same. */
const LISTED_MAX = 1000;

export type WeakOnlySource = { readonly host: string; readonly logins: number };

/**
 * Source hosts that are weak-only by nature: proxies, appliances, mail relays, from which many accounts come and no person ever
 * shows strong evidence. What presence would say of them is learnt not to be said.
 *
 * That is a hole: who brings a machine of his own, and is weak for a day, is learnt too, after the alerts of that day. So they
 * are listed, with how many logins were let pass, and one on which somebody shows strong evidence is none any more.
 */
export class WeakOnlySources {
  readonly #graph: Graph;
  readonly #userSource: LinkKind | undefined;
  readonly #passed = new Map<string, number>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#userSource = findLinkKind(graph.kinds, "user", "sourceHost");
  }

  /** Whether a host is one; `host` is its entity id. */
  has(host: number): boolean {
    const kind = this.#userSource;
    if (kind === undefined || host === NO_ENTITY) return false;
    const nodes = this.#graph.node(kind, "to", host);
    if (nodes.degreeOf(host) === 0) return false;
    const { statistics } = nodes;
    if (statistics.weakOf(host) < WEAK_LOGINS_MIN) return false;
    if (statistics.lastMsOf(host) - statistics.firstMsOf(host) < SPAN_MS_MIN) return false;
    const strongAccounts = nodes.strongDegree[host]!;
    return strongAccounts === 0 || (strongAccounts <= MACHINE_ACCOUNTS_MAX && this.#areMachines(kind, host));
  }

  /** Notes a login that presence would have raised, had its source not been one. */
  pass(host: string): void {
    if (this.#passed.has(host) || this.#passed.size < LISTED_MAX)
      this.#passed.set(host, (this.#passed.get(host) ?? 0) + 1);
  }

  /** Those of which logins were let pass since the process began, the most first. */
  list(): WeakOnlySource[] {
    return [...this.#passed]
      .map(([host, logins]) => ({ host, logins }))
      .sort((a, b) => b.logins - a.logins || (a.host < b.host ? -1 : 1));
  }

  #areMachines(kind: LinkKind, host: number): boolean {
    const { links, names } = this.#graph;
    const users = names.entities[kind.fromKind]!;
    for (const row of this.#graph.linksAt(kind, "to", host)) {
      if (links.relationOf(row) !== 0 || links.statistics.strongOf(row) === 0) continue;
      if (!isMachineAccount(users.nameOf(links.fromOf(row)))) return false;
    }
    return true;
  }
}

/** Windows ends the name of a machine's own account with a dollar sign, before the domain. */
function isMachineAccount(account: string): boolean {
  const at = account.lastIndexOf("@");
  return (at > 0 ? account.slice(0, at) : account).endsWith("$");
}
