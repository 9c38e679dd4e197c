import type { Config } from "../config/schema.ts";
import { Engine } from "../engine/engine.ts";
import type { Scored } from "../engine/scoring.ts";
import { WholeMerging } from "../engine/segment-merging.ts";
import type { TrainEpoch } from "../engine/training/training-schedule.ts";
import type { Facts } from "../graph-state/facts.ts";
import type { Decoder } from "../ingest/formats/format.ts";
import { type LoginBytes, SOURCE_HOST, USER } from "../ingest/login-bytes.ts";
import type { Log } from "../log/port.ts";
import type { Time } from "../time.ts";
import type { Label, Labels } from "./labels.ts";
import type { Renaming } from "./renaming.ts";

/** Incidents of an evaluation: one user from one source host within half an hour, whichever detector. */
const INCIDENT_MS = 30 * 60_000;

export type StreamInput = {
  readonly config: Config;
  readonly log: Log;
  readonly time: Time;
  readonly train: TrainEpoch;
  readonly labels: Labels;
  /** Start of the scored period, ms since the epoch; all before it is warm-up. */
  readonly fromMs: number | undefined;
  /** Names as they are where it is left out. */
  readonly renaming?: Renaming | undefined;
  /** Gives names in the place of addresses and aliases; labels name what it gives. */
  readonly resolve?: ((decoder: Decoder) => Decoder) | undefined;
  readonly onProgress?: (records: number) => void;
  /** Stops early when it fires: the figures are then of a part of the input, and of no use. */
  readonly signal: AbortSignal;
};

/** A login that was just scored, and is not added yet. What it holds is valid during the call only. */
export type StreamedLogin = {
  readonly login: LoginBytes;
  readonly scored: Scored;
  readonly facts: Facts;
  /** False for warm-up, whose labels are not looked at. */
  readonly isInPeriod: boolean;
  readonly label: Label | undefined;
  /** What the login is grouped by. */
  readonly incident: string;
};

/**
 * Scores a labelled stream causally, each login before it is added. Labels are looked at only after a login was scored, and
 * never by what scores: they are compared with the names that the source gives, all the rest sees pseudonyms.
 *
 * @returns the engine, as the end of the stream left it
 */
export async function streamLogins(
  input: StreamInput,
  onLogin: (streamed: StreamedLogin) => void,
): Promise<Engine> {
  const { config, log, time, train, labels, fromMs, renaming, resolve, onProgress, signal } = input;
  const engine = new Engine({
    config,
    log,
    time,
    merging: (state) => new WholeMerging(state),
    train,
    wrapDecoder: (decoder) => {
      const resolved = resolve?.(decoder) ?? decoder;
      return renaming?.wrap(resolved) ?? resolved;
    },
    onScored: (login, scored, facts) => {
      const isInPeriod = fromMs === undefined || login.timeMs >= fromMs;
      const label = isInPeriod ? labels.find(renaming?.original() ?? login.toLogin()) : undefined;
      const slot = Math.floor(login.timeMs / INCIDENT_MS);
      const incident = JSON.stringify([login.text(USER), login.text(SOURCE_HOST), slot]);
      onLogin({ login, scored, facts, isInPeriod, label, incident });
    },
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  await engine.run();
  return engine;
}
