import { Buffer } from "node:buffer";
import type { FactReader, Facts } from "../graph-state/facts.ts";
import type { Graph } from "../graph-state/graph.ts";
import { HOST_KIND, type LinkKind } from "../graph-state/link-kinds.ts";
import { NO_ENTITY } from "../graph-state/names.ts";
import type { Login } from "../ingest/login.ts";
import { SOURCE_HOST, TARGET_HOST, USER } from "../ingest/login-bytes.ts";
import type { LinkOddness } from "../model/link-signal.ts";
import type { Surprise } from "../model/surprise.ts";
import { TOLD_MINUTES, type Volume } from "../model/volume/volume.ts";
import { contrastWords, oddPast, type Words } from "./contrast-words.ts";
import type { Reason, Signal, Usual } from "./odd-login.ts";
import { days, decimal, hosts, oneIn, times, wholeNumber } from "./quantities.ts";

/** As many reasons and usual values as are read in a minute. */
const REASONS_MAX = 5;
const USUAL_MAX = 3;
/** A feature that lies less than this many scales above its median explains nothing. */
const CONTRIBUTION_MIN = 0.5;

/** "3 times", or "less than once" where it is. */
function usualTimes(logins: number): string {
  return logins < 1 ? "less than once" : times(Math.round(logins));
}

type Peer = { readonly value: string; readonly count: number };

/** Puts into words and numbers what the graph knew about an odd login before it was added. */
export class Explainer {
  readonly #graph: Graph;
  readonly #kinds: FactReader;
  readonly #surprise: Surprise;
  readonly #linkOddness: Readonly<LinkOddness>;
  readonly #volume: Volume;
  readonly #windowDays: number;

  /** @param link what the graph model said of the links of the login explained */
  constructor(
    graph: Graph,
    kinds: FactReader,
    surprise: Surprise,
    link: Readonly<LinkOddness>,
    volume: Volume,
    windowDays: number,
  ) {
    this.#graph = graph;
    this.#kinds = kinds;
    this.#surprise = surprise;
    this.#linkOddness = link;
    this.#volume = volume;
    this.#windowDays = windowDays;
  }

  /**
   * The reasons, strongest first. `surprise` and `volume` must have scored this very login last.
   *
   * @param linkProbability tail probability of the link signal, or undefined without an epoch
   */
  reasons(signal: Signal, login: Login, facts: Facts, linkProbability: number | undefined): Reason[] {
    const reasons: Reason[] = [];
    if (signal === "presence") reasons.push(this.#presence(login, facts));
    for (const { feature, contribution } of this.#surprise.contributions()) {
      if (contribution < CONTRIBUTION_MIN) break;
      // Said already.
      if (feature === "noStrongEvidence" && signal === "presence") continue;
      const words = this.#words(feature, login, facts);
      // Several features of a pair of hosts are said with one sentence.
      if (words !== undefined && reasons.every(({ text }) => text !== words.text))
        reasons.push({ signal: "surprise", feature, ...words, contribution });
    }
    if (linkProbability !== undefined && (signal === "link" || linkProbability < 0.01)) {
      const reason = this.#link(login, linkProbability);
      if (signal === "link") reasons.unshift(reason);
      else reasons.push(reason);
    }
    if (signal === "volume" || this.#volume.isBurst) {
      const reason = this.#burst(login, facts);
      // Another signal's alert says first what raised it, and then the burst, however many reasons there are.
      if (reason !== undefined) reasons.splice(signal === "volume" ? 0 : 1, 0, reason);
    }
    if (reasons.length === 0) reasons.push(this.#sumOfTraits(signal, login, facts));
    return reasons.slice(0, REASONS_MAX);
  }

  /** What is normal for the entities of the login. */
  usual(facts: Facts, login: Login): Usual[] {
    const user = facts.ids[USER]!;
    const source = facts.ids[SOURCE_HOST]!;
    const target = facts.ids[TARGET_HOST]!;
    const { userSource, userTarget, sourceTarget, userAuth } = this.#kinds;
    const all: (Usual | undefined)[] = [
      this.#usual("sourceHost", login.user, "user", userSource, "from", user),
      this.#usual("targetHost", login.user, "user", userTarget, "from", user),
      this.#usual("authType", login.user, "user", userAuth, "from", user),
      this.#usual("user", login.sourceHost, "host", userSource, "to", source),
      this.#usual("targetHost", login.sourceHost, "host", sourceTarget, "from", source),
      this.#usual("sourceHost", login.targetHost, "host", sourceTarget, "to", target),
    ];
    return all.filter((usual) => usual !== undefined);
  }

  /** When the user was first and last seen before this login. */
  seen(facts: Facts): { readonly firstMs: number | null; readonly lastMs: number | null } {
    const { userSource } = this.#kinds;
    if (userSource === undefined || facts.userCount === 0) return { firstMs: null, lastMs: null };
    const user = facts.ids[USER]!;
    const { statistics } = this.#graph.node(userSource, "from", user);
    return { firstMs: statistics.firstMsOf(user), lastMs: statistics.lastMsOf(user) };
  }

  /** No trait is odd by itself: the strongest of them, as one of many. */
  #sumOfTraits(signal: Signal, login: Login, facts: Facts): Reason {
    for (const { feature, contribution } of this.#surprise.contributions()) {
      const words = contribution > 0 ? this.#words(feature, login, facts) : undefined;
      if (words === undefined) continue;
      const text = `No single trait stands out, all of them together do; first among them: ${words.text}`;
      return { signal, feature, ...words, text, contribution };
    }
    return {
      signal,
      feature: "allTraits",
      text: "No single trait stands out, all of them together do",
      observed: "many slight differences",
      usual: "fewer of them",
      contribution: 0,
    };
  }

  #presence(login: Login, facts: Facts): Reason {
    const { userSource } = this.#kinds;
    const strong = this.#peers(userSource, "from", facts.ids[USER]!, "strong");
    const usual = strong.peers
      .map(({ value, count }) => `${value} (${wholeNumber.format(count)})`)
      .join(", ");
    const before =
      facts.userSourceCount === 0
        ? `${login.user} never logged on from ${login.sourceHost} in ${this.#days}`
        : `${login.user} logged on from ${login.sourceHost} ${times(facts.userSourceCount)} in ${this.#days}, never with strong evidence`;
    return {
      signal: "presence",
      feature: "strongEvidence",
      text: `${before}; the owner's Kerberos tickets and console logins come from ${usual || "elsewhere"}`,
      observed: `${login.authType || "unknown protocol"} from ${login.sourceHost}, strong evidence there: 0`,
      usual: `strong evidence from ${wholeNumber.format(strong.distinct)} other host(s): ${usual || "none"}`,
      contribution: 100,
    };
  }

  /** "WS17 logged on to 398 hosts, 412 times within 30 minutes; usual: 3 times". */
  #burst(login: Login, facts: Facts): Reason | undefined {
    const found = this.#volume.found(facts);
    if (found === undefined) return undefined;
    const { key, logins, usualLogins, main } = found;
    const { sourceHost, targetHost } = login;
    const span = `within ${TOLD_MINUTES} minutes`;
    const usual = usualTimes(usualLogins);
    const who = {
      pair: `${sourceHost} logged on to ${targetHost} ${times(logins)} ${span}`,
      source: `${sourceHost} logged on to ${hosts(found.hosts)}, ${times(logins)} ${span}`,
      target:
        `${targetHost} was logged on to from ${hosts(found.hosts)}, ${times(logins)} ${span}` +
        (main.host === NO_ENTITY
          ? ""
          : `, most often from ${this.#graph.names.entities[HOST_KIND]!.nameOf(main.host)} (${wholeNumber.format(main.logins)})`),
    }[key];
    return {
      signal: "volume",
      feature: `${key}Logins`,
      text: `${who}; usual: ${usual}`,
      observed: `${wholeNumber.format(logins)} ${logins === 1 ? "login" : "logins"} ${span}`,
      usual,
      contribution: this.#volume.nats,
    };
  }

  #link(login: Login, probability: number): Reason {
    return {
      signal: "link",
      feature: "linkLikelihood",
      text: `The graph model would not have predicted ${login.user || "?"} from ${login.sourceHost || "?"} to ${login.targetHost || "?"}: ${oneIn(probability)} looks this unlikely`,
      observed: probability.toExponential(1),
      usual: "above 0.01",
      contribution: -Math.log(probability),
    };
  }

  #words(feature: string, login: Login, facts: Facts): Words | undefined {
    const { userSource, userTarget, sourceTarget, userAuth, targetAuth } = this.#kinds;
    const user = facts.ids[USER]!;
    const source = facts.ids[SOURCE_HOST]!;
    const target = facts.ids[TARGET_HOST]!;
    switch (feature) {
      case "oddPast":
        return oddPast(login.user, this.#surprise.oddPastCount);
      case "sourceGivenUser":
        return this.#share(`${login.user} logged on from`, login.sourceHost, userSource, "from", user);
      case "targetGivenUser":
        return this.#share(`${login.user} logged on to`, login.targetHost, userTarget, "from", user);
      case "targetGivenSource":
        return this.#share(`${login.sourceHost} reached`, login.targetHost, sourceTarget, "from", source);
      case "userGivenSource":
        return this.#share(`${login.sourceHost} was used by`, login.user, userSource, "to", source);
      case "userGivenTarget":
        return this.#share(`${login.targetHost} was used by`, login.user, userTarget, "to", target);
      case "authGivenUser":
        return this.#protocol(login.authType, login.user, userAuth, user);
      case "authGivenTarget":
        return this.#protocol(login.authType, login.targetHost, targetAuth, target);
      case "degreeSum":
        return {
          text: `${login.sourceHost} is linked with ${hosts(facts.sourceDegree)}, ${login.targetHost} with ${hosts(facts.targetDegree)}: both are seldom seen together with others`,
          observed: `${facts.sourceDegree} + ${facts.targetDegree} linked hosts`,
          usual: "well-connected hosts",
        };
      case "newTargetsHour":
        return this.#newTargets(login, facts.newTargetsHour, "the hour before");
      case "newTargetsDay":
        return this.#newTargets(login, facts.newTargetsDay, "24 hours before");
      default:
        return contrastWords(feature, login, facts, this.#linkOddness);
    }
  }

  #newTargets(login: Login, count: number, span: string) {
    return {
      text: `${login.sourceHost} reached ${hosts(Math.round(count))} for the first time within ${span}`,
      observed: `${decimal.format(count)} new targets`,
      usual: "few or none",
    };
  }

  /** "U1 logged on from C5 3 times in 30 days, of 1,206; usual: C1 (900), C2 (303)". */
  #share(phrase: string, value: string, kind: LinkKind | undefined, side: "from" | "to", entity: number) {
    if (kind === undefined) return undefined;
    const { peers, total, distinct } = this.#peers(kind, side, entity, "count");
    const own = peers.find((peer) => peer.value === value) ?? this.#peerOf(kind, side, entity, value);
    const usual = peers
      .filter((peer) => peer.value !== value)
      .slice(0, USUAL_MAX)
      .map((peer) => `${peer.value} (${wholeNumber.format(peer.count)})`)
      .join(", ");
    const tail = total === 0 ? "; nothing else is known of it" : usual === "" ? "" : `; usual: ${usual}`;
    const seen =
      own === undefined
        ? phrase.replace(/(logged on|reached|used)/, "never $1")
        : `${phrase} ${value} only ${wholeNumber.format(own.count)} of ${wholeNumber.format(total)} times`;
    return {
      text:
        own === undefined ? `${seen} ${value} in ${this.#days}${tail}` : `${seen} in ${this.#days}${tail}`,
      observed: `${wholeNumber.format(own?.count ?? 0)} of ${wholeNumber.format(total)}`,
      usual: usual || `${wholeNumber.format(distinct)} other values`,
    };
  }

  /** "NTLM where Kerberos is usual for U1: 1,204 of 1,206". */
  #protocol(authType: string, name: string, kind: LinkKind, entity: number) {
    const { peers, total } = this.#peers(kind, "from", entity, "count");
    const top = peers[0];
    if (top === undefined || top.value === authType) {
      const own = top?.count ?? 0;
      return {
        text:
          own === 0
            ? `Nothing is known of how ${name} is logged on to or from, and this was by ${authType}`
            : `${authType} is known of ${name} from ${wholeNumber.format(own)} logins only`,
        observed: `${wholeNumber.format(own)} of ${wholeNumber.format(total)}`,
        usual: top === undefined ? "nothing known" : top.value,
      };
    }
    const own = this.#peerOf(kind, "from", entity, authType)?.count ?? 0;
    return {
      text: `${authType} where ${top.value} is usual for ${name}, ${wholeNumber.format(top.count)} of ${wholeNumber.format(total)}`,
      observed: `${authType}, ${wholeNumber.format(own)} of ${wholeNumber.format(total)}`,
      usual: `${top.value}, ${wholeNumber.format(top.count)} of ${wholeNumber.format(total)}`,
    };
  }

  #usual(
    parameter: string,
    entity: string,
    entityKind: "user" | "host",
    kind: LinkKind | undefined,
    side: "from" | "to",
    id: number,
  ): Usual | undefined {
    const { peers } = this.#peers(kind, side, id, "count");
    return peers.length === 0
      ? undefined
      : { parameter, entity, entityKind, values: peers.slice(0, USUAL_MAX) };
  }

  /** One peer of a node, or undefined if there is no such link. */
  #peerOf(kind: LinkKind, side: "from" | "to", entity: number, value: string): Peer | undefined {
    const { links, names } = this.#graph;
    const bytes = Buffer.from(value);
    const peer = names.entities[side === "from" ? kind.toKind : kind.fromKind]!.find(bytes, 0, bytes.length);
    if (peer < 0 || entity < 0) return undefined;
    const row =
      side === "from" ? links.find(kind.index, 0, entity, peer) : links.find(kind.index, 0, peer, entity);
    return row < 0 ? undefined : { value, count: links.statistics.countOf(row) };
  }

  /** The most frequent peers of a node, equal ones by name, with the sum and number of all. One pass over its links. */
  #peers(kind: LinkKind | undefined, side: "from" | "to", entity: number, by: "count" | "strong") {
    const top: { id: number; count: number }[] = [];
    let total = 0;
    let distinct = 0;
    if (kind === undefined) return { peers: [], total, distinct };
    const { links } = this.#graph;
    const names = this.#graph.names.entities[side === "from" ? kind.toKind : kind.fromKind]!;
    const rows = this.#graph.linksAt(kind, side, entity);
    for (const row of rows) {
      const count = by === "strong" ? links.statistics.strongOf(row) : links.statistics.countOf(row);
      if (links.relationOf(row) !== 0 || count === 0) continue;
      total += count;
      distinct++;
      const id = side === "from" ? links.toOf(row) : links.fromOf(row);
      const isBefore = (other: { id: number; count: number }): boolean =>
        count > other.count || (count === other.count && names.compare(id, other.id) < 0);
      if (top.length > USUAL_MAX && !isBefore(top[USUAL_MAX]!)) continue;
      const place = top.findIndex(isBefore);
      top.splice(place < 0 ? top.length : place, 0, { id, count });
      if (top.length > USUAL_MAX + 1) top.pop();
    }
    return { peers: top.map(({ id, count }): Peer => ({ value: names.nameOf(id), count })), total, distinct };
  }

  get #days(): string {
    return days(this.#windowDays);
  }
}
