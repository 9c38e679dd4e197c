import { existsSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { OddlinkError } from "../../errors.ts";
import type { Commit, KeyedRecord, KeyedTopic, Position } from "../port.ts";

/** Goes up when the tables change in a way that an older program would misread. */
const SCHEMA_VERSION = 2;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS inputs (
    partition INTEGER PRIMARY KEY, topic TEXT NOT NULL,
    start BLOB NOT NULL,
    offset INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE IF NOT EXISTS alerts (
    seq INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, incident_uid TEXT NOT NULL, time_ms INTEGER NOT NULL,
    signal TEXT NOT NULL, score REAL NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, finding TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS scored_logins (seq INTEGER PRIMARY KEY, login TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS dead_letters (
    partition INTEGER NOT NULL, offset INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (partition, offset)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS graph_state (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS epochs (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL);
`;

const TABLE_OF: Readonly<Record<KeyedTopic, string>> = { "graph-state": "graph_state", epochs: "epochs" };

export type StoredInput = {
  readonly partition: number;
  readonly topic: string;
  /** Its first bytes, to recognise it by. */
  readonly start: Buffer;
  readonly position: Position;
};

/**
 * The embedded store: one SQLite file that holds everything a Kafka cluster would hold. Each commit is one SQLite
 * transaction, so a process may be killed at any moment.
 *
 * A commit blocks the event loop for its fsync (0.3 ms at the median where it was measured, 6 ms at the 99th percentile).
 *
 * @throws {OddlinkError} STORE_UNREADABLE, STORE_BUSY, STORE_MISMATCH
 */
export class Store {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @param isTemporary no fsync: the file is deleted at the end, so a power cut loses nothing that was promised */
  constructor(path: string, isTemporary: boolean) {
    this.path = path;
    try {
      this.#database = new DatabaseSync(path);
      this.#database.exec(
        "PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 1000; PRAGMA locking_mode = EXCLUSIVE",
      );
      this.#database.exec(`PRAGMA synchronous = ${isTemporary ? "OFF" : "FULL"}; BEGIN IMMEDIATE; COMMIT`);
      this.#database.exec(SCHEMA);
    } catch (error) {
      throw storeError(path, error as Error);
    }
    const version = this.meta("schemaVersion");
    if (version === undefined) this.setMeta("schemaVersion", String(SCHEMA_VERSION));
    else if (version !== String(SCHEMA_VERSION)) {
      throw new OddlinkError(
        "STORE_MISMATCH",
        `${path} has store version ${version}, this program writes ${SCHEMA_VERSION}`,
      );
    }
  }

  meta(key: string): string | undefined {
    return (this.#prepared("SELECT value FROM meta WHERE key = ?").get(key) as { value: string } | undefined)
      ?.value;
  }

  setMeta(key: string, value: string): void {
    this.#prepared(
      "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    ).run(key, value);
  }

  inputs(): StoredInput[] {
    const rows = this.#prepared("SELECT * FROM inputs ORDER BY partition").all() as {
      partition: number;
      topic: string;
      start: Uint8Array;
      offset: number;
      bytes: number;
    }[];
    return rows.map((row) => ({
      partition: row.partition,
      topic: row.topic,
      start: Buffer.from(row.start),
      position: { offset: row.offset, bytes: row.bytes },
    }));
  }

  addInput(input: Omit<StoredInput, "position">): void {
    this.#prepared("INSERT INTO inputs (partition, topic, start) VALUES (?, ?, ?)").run(
      input.partition,
      input.topic,
      input.start,
    );
  }

  /** Writes everything of a commit in one transaction. `withMeta` joins it, for positions of output files. */
  commit(commit: Commit, withMeta: Readonly<Record<string, string>>): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const { partition, position } = commit;
      this.#prepared("UPDATE inputs SET offset = ?, bytes = ? WHERE partition = ?").run(
        position.offset,
        position.bytes,
        partition,
      );
      const alert = this.#prepared(
        "INSERT INTO alerts (uid, incident_uid, time_ms, signal, score, partition, offset, finding) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      );
      for (const a of commit.alerts) {
        alert.run(a.uid, a.incidentUid, a.timeMs, a.signal, a.score, a.partition, a.offset, a.finding);
      }
      const scored = this.#prepared("INSERT INTO scored_logins (login) VALUES (?)");
      for (const { line } of commit.scoredLogins) scored.run(line);
      const deadLetter = this.#prepared("INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?)");
      for (const d of commit.deadLetters) deadLetter.run(d.partition, d.offset, d.reason, d.detail, d.bytes);
      this.#putAll("graph_state", commit.graphState);
      this.#putAll("epochs", commit.epochs);
      this.setMeta("totals", commit.totals);
      for (const [key, value] of Object.entries(withMeta)) this.setMeta(key, value);
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw storeError(this.path, error as Error);
    }
  }

  /** Values of a topic in the order in which their keys were last written. */
  *values(topic: KeyedTopic): Generator<{ readonly key: string; readonly value: Uint8Array }> {
    const table = TABLE_OF[topic];
    yield* this.#prepared(`SELECT key, value FROM ${table} ORDER BY seq`).iterate() as Generator<{
      key: string;
      value: Uint8Array;
    }>;
  }

  /** Alert findings in the order in which they were raised, from the one after `afterSeq` on. */
  *findings(afterSeq = 0): Generator<{ readonly seq: number; readonly finding: string }> {
    yield* this.#prepared("SELECT seq, finding FROM alerts WHERE seq > ? ORDER BY seq").iterate(
      afterSeq,
    ) as Generator<{
      seq: number;
      finding: string;
    }>;
  }

  close(): void {
    this.#database.close();
  }

  #putAll(table: string, records: Iterable<KeyedRecord>): void {
    // REPLACE gives the key a new sequence number: the order of `values` is that of the last write.
    const put = this.#prepared(`INSERT OR REPLACE INTO ${table} (key, value) VALUES (?, ?)`);
    const remove = this.#prepared(`DELETE FROM ${table} WHERE key = ?`);
    for (const { key, value } of records) {
      if (value === null) remove.run(key);
      else put.run(key, value);
    }
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }
}

function storeError(path: string, error: Error): OddlinkError {
  if (error instanceof OddlinkError) return error;
  if (/locked|busy/i.test(error.message)) {
    return new OddlinkError(
      "STORE_BUSY",
      `${path} is in use by another process; one at a time can run on it`,
      { cause: error },
    );
  }
  const hint = existsSync(path)
    ? "is it an oddlink store?"
    : "does the folder exist and may it be written to?";
  return new OddlinkError("STORE_UNREADABLE", `store ${path}: ${error.message} (${hint})`, { cause: error });
}
