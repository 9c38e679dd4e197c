import type { Config } from "./schema.ts";

/**
 * The settings that decide what the state of an engine is, as text: a store made with others can't be continued. What
 * only says where results go, or which records are let in or alerts raised from now on, may change between runs. It is kept in the store, and told
 * where it differs, so that nothing with secrets may be in it.
 */
export function settingsKey(config: Config): string {
  const {
    outputs: _outputs,
    threshold: _threshold,
    alertsPerDay: _alertsPerDay,
    volume: _volume,
    suppressions: _suppressions,
    checks: _checks,
    kafka: _kafka,
    normalize: _normalize,
    http: _http,
    management: _management,
    canary: _canary,
    ...state
  } = config;
  const {
    rejectedShareMax: _share,
    duplicatesMax: _duplicates,
    registry: _registry,
    resolution: _resolution,
    ...input
  } = config.input;
  const { maxJumpDays: _maxJumpDays, ...window } = config.window;
  // Which epoch is in the shadow of which is part of the epochs.
  const { shadow: _shadow, checkpoint: _checkpoint, ...training } = config.training;
  return JSON.stringify({ ...state, input, window, training });
}
