import { alertLine } from "../alerts/alert-formats.ts";
import { configFile } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { settingsKey } from "../config/settings-key.ts";
import { OddlinkError } from "../errors.ts";
import type { Source } from "../ingest/sources.ts";
import { EmbeddedLog } from "../log/embedded/embedded-log.ts";
import type { FileUses } from "./own-files.ts";
import { besideStore } from "./run-engine.ts";

/** @throws {OddlinkError} USAGE if Avro is asked for, which files can't be in */
export function refuseAvro(config: Config): void {
  if (config.input.format === "avro")
    throw new OddlinkError("USAGE", "Avro records have no line ends: they are read from Kafka, with --kafka");
  if (config.outputs.encoding === "avro")
    throw new OddlinkError(
      "USAGE",
      "outputs.encoding avro is for topics, with --kafka: files are JSON lines",
    );
}

export function openFileLog(config: Config, sources: readonly Source[]): Promise<EmbeddedLog> {
  return EmbeddedLog.open({
    sources,
    store: config.outputs.store,
    settings: settingsKey(config),
    alertsFile: config.outputs.alerts,
    alertsShadowFile: config.outputs.alertsShadow,
    scoredFile: config.outputs.scored,
    alertLine: (finding) => alertLine(config.outputs.alertFormat, finding),
    recordBytesMax: config.input.recordBytesMax,
  });
}

/** Files that a run of files writes, and reads besides its sources. */
export function filesOf(
  { alerts, alertsShadow, scored, store }: Config["outputs"],
  file: string | undefined,
): FileUses {
  const journals = ["-wal", "-shm"].map((suffix) => besideStore(store, suffix));
  return {
    written: [
      { as: "--alerts", path: alerts },
      { as: "--alerts-shadow", path: alertsShadow },
      { as: "--scored", path: scored },
      { as: "--store", path: store },
      ...journals.map((path) => ({ as: "the journal of --store", path })),
      { as: "the training of --store", path: besideStore(store, "-training") },
    ],
    read: [{ as: "--config", path: configFile(file, process.env) }],
  };
}
