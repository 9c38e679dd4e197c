import { ENTITY_KINDS, USER_KIND } from "../graph-state/link-kinds.ts";
import { COLUMNS, type Login } from "../ingest/login.ts";
import type { Forecast, ForecastPeer } from "../model/peer-forecast.ts";
import { wholeNumber } from "./quantities.ts";

/** To which hosts the graph model would have expected a link of the odd login to lead: the likeliest of some candidates. */
export interface ExpectedPeers {
  /** Such as `user-sourceHost`. */
  readonly link: string;
  /** What the peers are: `sourceHost` or `targetHost`. */
  readonly parameter: string;
  readonly entity: string;
  readonly entityKind: "user" | "host";
  /** The likeliest first. A likelihood is the share of logins whose links are no likelier; `logins` is how often the link was seen. */
  readonly peers: readonly ForecastPeer[];
  /** The host of the odd login, its place among the candidates (1 is the likeliest), and how many there are, itself included. */
  readonly observed: ForecastPeer & { readonly rank: number; readonly candidates: number };
  readonly text: string;
}

/** A forecast as an alert tells it. */
export function expectedPeers(forecast: Forecast, login: Login): ExpectedPeers {
  const { kind, peers, rank, candidates } = forecast;
  const parameter = COLUMNS[kind.to]!;
  const entity = login[COLUMNS[kind.from]!];
  const observed = { name: login[parameter], ...forecast.observed, rank, candidates };
  const verb =
    kind.fromKind !== USER_KIND ? "reaches" : parameter === "sourceHost" ? "logs on from" : "logs on to";
  const likely = peers.map(
    ({ name, likelihood }, i) => `${name} (${i === 0 ? "likelihood " : ""}${likelihood})`,
  );
  return {
    link: kind.name,
    parameter,
    entity,
    entityKind: kind.fromKind === USER_KIND ? ENTITY_KINDS[0] : ENTITY_KINDS[1],
    peers,
    observed,
    text:
      `Likeliest for the graph model: ${entity} ${verb} ${likely.join(", ")}; ` +
      `${observed.name} (${observed.likelihood}) is number ${wholeNumber.format(rank)} of ${wholeNumber.format(candidates)} candidates`,
  };
}
