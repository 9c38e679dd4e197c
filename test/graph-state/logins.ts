import { Buffer } from "node:buffer";
import fc from "fast-check";
import { Familiarity } from "../../src/graph-state/familiarity.ts";
import type { Graph } from "../../src/graph-state/graph.ts";
import { EVIDENCE, type Login, OUTCOMES } from "../../src/ingest/login.ts";
import {
  AUTH_TYPE,
  LOGON_TYPE,
  LoginBytes,
  SOURCE_HOST,
  TARGET_HOST,
  TARGET_USER,
  USER,
} from "../../src/ingest/login-bytes.ts";

/** A login as decoders hand it over. */
export function loginBytes(login: Login): LoginBytes {
  const bytes = new LoginBytes();
  bytes.timeMs = login.timeMs;
  bytes.outcome = OUTCOMES.indexOf(login.outcome);
  bytes.evidence = EVIDENCE.indexOf(login.evidence);
  bytes.uid = login.uid;
  const columns = [
    [USER, login.user],
    [TARGET_USER, login.targetUser],
    [SOURCE_HOST, login.sourceHost],
    [TARGET_HOST, login.targetHost],
    [AUTH_TYPE, login.authType],
    [LOGON_TYPE, login.logonType],
  ] as const;
  for (const [column, text] of columns) {
    const buffer = Buffer.from(text);
    bytes.set(column, buffer, 0, buffer.length);
  }
  return bytes;
}

/** A login from a few defaults and what the test cares about. */
export function login(overrides: Partial<Login> = {}): Login {
  return {
    timeMs: 1_000_000,
    user: "U1",
    targetUser: "U1",
    sourceHost: "C1",
    targetHost: "C2",
    authType: "Kerberos",
    logonType: "Network",
    outcome: "success",
    evidence: "strong",
    ...overrides,
  };
}

/** Adds a login the way the engine does, but for the segments: see `addLoginTaking`. */
export function addLogin(graph: Graph, added: Login): void {
  const bytes = loginBytes(added);
  const ids = new Int32Array(6);
  graph.advance(added.timeMs);
  graph.names.find(bytes, ids);
  graph.apply(bytes, ids);
}

/** The same where time may step out of the window: what was added before is taken first, and dropped. */
export function addLoginTaking(graph: Graph, added: Login): void {
  if (graph.window.wouldStep(added.timeMs)) graph.takeDelta(PART_BYTES_MAX);
  addLogin(graph, added);
}

/** Links are familiar after an hour, whether an alert named them or not. */
export function familiarAfterAnHour(graph: Graph): Familiarity {
  return new Familiarity(graph, { familiarAfterHours: 1, alertedFamiliarAfterHours: 1 });
}

/** One part whatever it holds. */
export const PART_BYTES_MAX = Number.POSITIVE_INFINITY;

const oneOf = (prefix: string, count: number) =>
  fc.integer({ min: 0, max: count - 1 }).map((i) => `${prefix}${i}`);

/** Logins of a small organisation; times within `[fromMs, toMs]`, in no order. */
export function arbitraryLogin(fromMs: number, toMs: number): fc.Arbitrary<Login> {
  return fc.record({
    timeMs: fc.integer({ min: fromMs, max: toMs }),
    user: oneOf("U", 6),
    targetUser: oneOf("U", 6),
    sourceHost: fc.oneof(oneOf("C", 8), fc.constant("")),
    targetHost: oneOf("C", 8),
    authType: fc.constantFrom("Kerberos", "NTLM", ""),
    logonType: fc.constantFrom("Network", "Interactive", ""),
    outcome: fc.constantFrom(...OUTCOMES),
    evidence: fc.constantFrom(...EVIDENCE),
  });
}
