import type { ExpectedPeers, Finding, LastSeen, NearestLogin } from "./api.ts";
import { type Child, countText, h, nameElement, timeElement } from "./dom.ts";

const WORDS: Readonly<Record<string, string>> = {
  user: "account",
  sourceHost: "source host",
  targetHost: "target host",
  authType: "auth type",
  logonType: "logon type",
};

/** What an odd login is held against besides what is usual; undefined if its alert says nothing of it. */
export function comparedView({
  nearestLogin,
  expectedPeers = [],
  lastSeen = [],
}: Finding["evidences"][0]["data"]): HTMLElement | undefined {
  const rows: HTMLElement[] = [
    ...(nearestLogin === undefined ? [] : [row("Nearest normal login", nearest(nearestLogin))]),
    ...expectedPeers.map((expected) => row(expectedTitle(expected), expectedText(expected))),
    ...(lastSeen.length === 0 ? [] : [row("Seen before", lastSeen.flatMap(seenBefore))]),
  ];
  return rows.length === 0 ? undefined : h("dl", { class: "facts compared" }, ...rows);
}

function timesText(logins: number): string {
  return logins === 1 ? "once" : `${countText(logins)} times`;
}

function row(name: Child, value: readonly Child[]): HTMLElement {
  return h("div", {}, h("dt", {}, name), h("dd", {}, ...value));
}

function nearest(login: NearestLogin): Child[] {
  const { user, sourceHost, targetHost, authType, logonType, logins, lastSeenMs, differs } = login;
  const named = (word: string, name: string): Child[] => (name === "" ? [] : [word, nameElement(name)]);
  const isLocal = sourceHost !== "" && sourceHost === targetHost;
  const types = [authType, logonType].filter((type) => type !== null && type !== "");
  const columns = differs.map((column) => WORDS[column] ?? column);
  return [
    ...named("", user),
    ...(isLocal ? named(" on ", sourceHost) : [...named(" from ", sourceHost), ...named(" to ", targetHost)]),
    ...types.flatMap((type, i) => [i === 0 ? " by " : ", ", nameElement(type!)]),
    `, at most ${timesText(logins)}, last `,
    timeElement(lastSeenMs),
    h(
      "div",
      { class: "quiet" },
      columns.length === 0 ? "Nothing of that differs." : `Other here: ${columns.join(", ")}.`,
    ),
  ];
}

function seenBefore({ link, logins, lastSeenMs }: LastSeen): Child[] {
  const ends = link.split("-").map((column) => WORDS[column] ?? column);
  const last = lastSeenMs === null ? "never" : timeElement(lastSeenMs);
  return [h("div", {}, `${ends.join(" with ")}: `, last, logins === 0 ? "" : `, ${timesText(logins)}`)];
}

function expectedTitle({ parameter, entityKind }: ExpectedPeers): string {
  return `Likeliest ${WORDS[parameter] ?? parameter} of the ${entityKind === "user" ? "account" : "source host"}, for the graph model`;
}

function expectedText({ peers, observed }: ExpectedPeers): Child[] {
  const { name, likelihood, rank, candidates } = observed;
  return [
    ...peers.flatMap((peer, i) => [i > 0 ? ", " : "", nameElement(peer.name), ` (${peer.likelihood})`]),
    h(
      "div",
      { class: "quiet" },
      nameElement(name),
      ` (${likelihood}) is number ${countText(rank)} of ${countText(candidates)} candidates.`,
    ),
  ];
}
