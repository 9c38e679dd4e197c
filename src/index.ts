/**
 * What programs that embed oddlink may rely on: an engine that is handed logins, decoders of the formats, and the port behind which a log of one's
 * own may stand. `docs/library.md` is its guide. All else in this package is internal.
 */
export type { ClosingFinding, DetectionFinding } from "./alerts/detection-finding.ts";
export type { Signal } from "./alerts/odd-login.ts";
export type { Probe } from "./engine/scoring.ts";
export { type ErrorCode, OddlinkError } from "./errors.ts";
export type { IgnoreReason, RejectReason } from "./ingest/decoded.ts";
export type { Login } from "./ingest/login.ts";
export {
  type EmbeddedEngine,
  type Handler,
  type OpenOptions,
  openEngine,
  type RejectedRecord,
  type ScoredLogin,
} from "./library/embedded-engine.ts";
export type { LoginInput, RecordInput } from "./library/login-input.ts";
export { type ReadRecordsOptions, readRecords } from "./library/read-records.ts";
export { type RecordBatchOptions, recordBatch } from "./library/record-batch.ts";
export {
  createDecoder,
  type DecodedRecord,
  type DecoderSettings,
  FORMATS,
  type RecordDecoder,
} from "./library/record-decoder.ts";
export {
  type EngineOptions,
  type EngineStatus,
  type Probed,
  type ProbeInput,
  type RunningEngine,
  type StartOptions,
  startEngine,
} from "./library/running-engine.ts";
export type { Settings } from "./library/settings.ts";
export type {
  AlertRecord,
  Assignment,
  Commit,
  CommitResult,
  DeadLetter,
  Follower,
  KeyedRecord,
  KeyedTopic,
  Log,
  Position,
  ReadProgress,
  RecordBatch,
  RecordMetadata,
  ScoredRecord,
} from "./log/port.ts";
export { VERSION } from "./version.ts";
