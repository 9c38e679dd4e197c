import type { FactReader, Facts } from "../graph-state/facts.ts";
import type { Familiarity } from "../graph-state/familiarity.ts";
import type { Graph } from "../graph-state/graph.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { LinkSignal, WhichEpoch } from "../model/link-signal.ts";
import { PeerForecast } from "../model/peer-forecast.ts";
import { type ExpectedPeers, expectedPeers } from "./expected-peers.ts";
import { type LastSeen, lastSeen } from "./last-seen.ts";
import { type NearestLogin, NearestLogins } from "./nearest-login.ts";

/** What an odd login is held against, besides what is usual for its entities. Plain data. */
export interface Comparison {
  /** Not there if nothing familiar is like it. */
  readonly nearestLogin?: NearestLogin;
  /** By link of the login; none without an epoch. */
  readonly expectedPeers: readonly ExpectedPeers[];
  /** By link of the login. */
  readonly lastSeen: readonly LastSeen[];
}

/** Compares odd logins with what the graph holds and the graph model expects. Reads only; nothing of it is done for a login that raises no alert. */
export class Comparer {
  readonly #graph: Graph;
  readonly #kinds: FactReader;
  readonly #nearest: NearestLogins;
  readonly #forecast: PeerForecast | undefined;
  readonly #windowDays: number;

  /** @param link undefined if the model has no say */
  constructor(
    graph: Graph,
    kinds: FactReader,
    familiarity: Familiarity,
    link: LinkSignal | undefined,
    windowDays: number,
  ) {
    this.#graph = graph;
    this.#kinds = kinds;
    this.#nearest = new NearestLogins(graph, kinds, familiarity);
    this.#forecast = link && new PeerForecast(graph, link);
    this.#windowDays = windowDays;
  }

  /** @param facts of this very login, which is not added yet */
  compare(bytes: LoginBytes, facts: Facts, which: WhichEpoch = "inForce"): Comparison {
    const login = bytes.toLogin();
    const nearestLogin = this.#nearest.find(login, bytes, facts);
    const forecasts = this.#forecast?.of(bytes, facts, which) ?? [];
    return {
      ...(nearestLogin && { nearestLogin }),
      expectedPeers: forecasts.map((forecast) => expectedPeers(forecast, login)),
      lastSeen: lastSeen(this.#graph, this.#kinds, login, facts, this.#windowDays),
    };
  }
}
