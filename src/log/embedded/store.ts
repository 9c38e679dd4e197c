import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type ErrorCode, OddlinkError } from "../../errors.ts";
import type { AlertRecord, Commit, KeyedRecord, KeyedTopic, Position } from "../port.ts";

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
  CREATE TABLE IF NOT EXISTS alerts_shadow (
    seq INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, incident_uid TEXT NOT NULL, time_ms INTEGER NOT NULL,
    signal TEXT NOT NULL, score REAL NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, finding TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS suppressed_alerts (seq INTEGER PRIMARY KEY REFERENCES alerts, rule TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS closings (seq INTEGER PRIMARY KEY REFERENCES alerts);
  CREATE TABLE IF NOT EXISTS scored_logins (seq INTEGER PRIMARY KEY, login TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS dead_letters (
    partition INTEGER NOT NULL, offset INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (partition, offset)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS graph_state (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS epochs (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS entity_risk (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS verdicts (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value BLOB NOT NULL);
`;

/** "oddl", in the file's header: says whose database it is, to us and to `file`. */
const APPLICATION_ID = 0x6f64646c;

const TABLE_OF: Readonly<Record<KeyedTopic, string>> = {
  "graph-state": "graph_state",
  epochs: "epochs",
  verdicts: "verdicts",
};

const IS_TOLD = `NOT EXISTS (SELECT 1 FROM suppressed_alerts WHERE suppressed_alerts.seq = alerts.seq)
  AND NOT EXISTS (SELECT 1 FROM closings WHERE closings.seq = alerts.seq)`;

export type AlertTable = "alerts" | "alerts_shadow";

/** An alert as it is stored. */
export type StoredAlert = {
  readonly seq: number;
  readonly uid: string;
  readonly timeMs: number;
  readonly partition: number;
  readonly topic: string;
  readonly finding: string;
};

/** An incident by its alerts. */
export type StoredIncident = {
  readonly uid: string;
  readonly alerts: number;
  readonly firstMs: number;
  readonly lastMs: number;
};

/** Alerts of one signal in one slot of time. */
export type AlertSlot = { readonly startMs: number; readonly signal: string; readonly alerts: number };

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
    this.#database = this.#attempt(() => new DatabaseSync(path));
    try {
      this.#attempt(() => this.#setUp(isTemporary));
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  meta(key: string): string | undefined {
    return this.#attempt(() => {
      const row = this.#prepared("SELECT value FROM meta WHERE key = ?").get(key);
      return (row as { value: string } | undefined)?.value;
    });
  }

  setMeta(key: string, value: string): void {
    const sql = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    this.#attempt(() => this.#prepared(sql).run(key, value));
  }

  inputs(): StoredInput[] {
    const sql = "SELECT * FROM inputs ORDER BY partition";
    const rows = this.#attempt(() => this.#prepared(sql).all()) as {
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
    const sql = "INSERT INTO inputs (partition, topic, start) VALUES (?, ?, ?)";
    this.#attempt(() => this.#prepared(sql).run(input.partition, input.topic, input.start));
  }

  /** Writes everything of a commit in one transaction. `withMeta` joins it, for positions of output files. */
  commit(commit: Commit, withMeta: Readonly<Record<string, string>>): void {
    this.#transaction(() => {
      const { partition, position } = commit;
      this.#prepared("UPDATE inputs SET offset = ?, bytes = ? WHERE partition = ?").run(
        position.offset,
        position.bytes,
        partition,
      );
      this.#addAlerts("alerts", commit.alerts);
      this.#addAlerts("alerts_shadow", commit.alertsShadow ?? []);
      const scored = this.#prepared("INSERT INTO scored_logins (login) VALUES (?)");
      for (const { line } of commit.scoredLogins) scored.run(line);
      const deadLetter = this.#prepared("INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?)");
      for (const d of commit.deadLetters) deadLetter.run(d.partition, d.offset, d.reason, d.detail, d.bytes);
      this.#putAll("graph_state", commit.graphState);
      this.#putAll("epochs", commit.epochs);
      this.#putAll("entity_risk", commit.entityRisks ?? []);
      this.setMeta("totals", commit.totals);
      for (const [key, value] of Object.entries(withMeta)) this.setMeta(key, value);
    });
  }

  /** Writes a record outside any commit. */
  append(topic: KeyedTopic, record: KeyedRecord): void {
    this.#transaction(() => this.#putAll(TABLE_OF[topic], [record]));
  }

  /** Values of a topic in the order in which their keys were last written. */
  values(topic: KeyedTopic): Generator<{ readonly key: string; readonly value: Uint8Array }> {
    return this.#rows(`SELECT key, value FROM ${TABLE_OF[topic]} ORDER BY seq`);
  }

  /** Findings of a table in the order in which they were raised, from the one after `afterSeq` on. */
  findings(
    afterSeq = 0,
    table: AlertTable = "alerts",
  ): Generator<{ readonly seq: number; readonly finding: string }> {
    return this.#rows(`SELECT seq, finding FROM ${table} WHERE seq > ? ORDER BY seq`, afterSeq);
  }

  /** Alerts after a sequence number that nobody suppressed, at most so many, each with the name of the input that it is of. */
  alertsAfter(seq: number, countMax: number): StoredAlert[] {
    const sql = `SELECT seq, uid, time_ms AS timeMs, alerts.partition, topic, finding FROM alerts
      JOIN inputs ON inputs.partition = alerts.partition WHERE seq > ? AND ${IS_TOLD} ORDER BY seq LIMIT ?`;
    return this.#attempt(() => this.#prepared(sql).all(seq, countMax)) as unknown as StoredAlert[];
  }

  /** The newest findings that a rule suppressed, at most so many. */
  newestSuppressed(countMax: number): { readonly seq: number; readonly finding: string }[] {
    const sql = `SELECT seq, finding FROM suppressed_alerts JOIN alerts USING (seq) ORDER BY seq DESC LIMIT ?`;
    return this.#attempt(() => this.#prepared(sql).all(countMax)) as unknown as {
      seq: number;
      finding: string;
    }[];
  }

  countAlertsAfter(seq: number): number {
    const sql = `SELECT COUNT(*) AS count FROM alerts WHERE seq > ? AND ${IS_TOLD}`;
    return this.#attempt(() => this.#prepared(sql).get(seq) as { count: number }).count;
  }

  /** The sequence number after which there are no more than so many of these; 0 if there are no more in all. */
  alertSeqBefore(countMax: number): number {
    const sql = `SELECT seq FROM alerts WHERE ${IS_TOLD} ORDER BY seq DESC LIMIT 1 OFFSET ?`;
    const row = this.#attempt(() => this.#prepared(sql).get(countMax)) as { seq: number } | undefined;
    return row?.seq ?? 0;
  }

  /** Incidents of alerts that nobody suppressed, that of the oddest alert first, at most so many. */
  incidents(countMax: number): StoredIncident[] {
    const sql = `SELECT incident_uid AS uid, COUNT(*) AS alerts, MIN(time_ms) AS firstMs, MAX(time_ms) AS lastMs FROM alerts
      WHERE ${IS_TOLD} GROUP BY incident_uid ORDER BY MIN(score), MIN(seq) LIMIT ?`;
    return this.#attempt(() => this.#prepared(sql).all(countMax)) as unknown as StoredIncident[];
  }

  countIncidents(): number {
    const sql = `SELECT COUNT(DISTINCT incident_uid) AS count FROM alerts WHERE ${IS_TOLD}`;
    return this.#attempt(() => this.#prepared(sql).get() as { count: number }).count;
  }

  /** Uids of incidents that begin so, at most so many. */
  incidentsLike(prefix: string, countMax: number): string[] {
    const sql = `SELECT DISTINCT incident_uid AS uid FROM alerts WHERE substr(incident_uid, 1, length(?1)) = ?1 AND ${IS_TOLD} LIMIT ?2`;
    const rows = this.#attempt(() => this.#prepared(sql).all(prefix, countMax));
    return (rows as { uid: string }[]).map(({ uid }) => uid);
  }

  /** Findings of one incident, the oddest first, at most so many. */
  findingsOf(incidentUid: string, countMax: number): string[] {
    const sql = `SELECT finding FROM alerts WHERE incident_uid = ? AND ${IS_TOLD} ORDER BY score, seq LIMIT ?`;
    const rows = this.#attempt(() => this.#prepared(sql).all(incidentUid, countMax));
    return (rows as { finding: string }[]).map(({ finding }) => finding);
  }

  /** Time of the earliest and of the latest alert; undefined without any. */
  alertSpan(): readonly [firstMs: number, lastMs: number] | undefined {
    const sql = `SELECT MIN(time_ms) AS firstMs, MAX(time_ms) AS lastMs FROM alerts WHERE ${IS_TOLD}`;
    const row = this.#attempt(() => this.#prepared(sql).get());
    const { firstMs, lastMs } = row as { firstMs: number | null; lastMs: number | null };
    return firstMs === null || lastMs === null ? undefined : [firstMs, lastMs];
  }

  /** How many alerts of each signal fall into each slot of time that has any. */
  alertSlots(slotMs: number): AlertSlot[] {
    const sql = `SELECT CAST(time_ms / ? AS INTEGER) AS slot, signal, COUNT(*) AS alerts FROM alerts
      WHERE ${IS_TOLD} GROUP BY slot, signal ORDER BY slot, signal`;
    const rows = this.#attempt(() => this.#prepared(sql).all(slotMs));
    return (rows as { slot: number; signal: string; alerts: number }[]).map(({ slot, signal, alerts }) => ({
      startMs: slot * slotMs,
      signal,
      alerts,
    }));
  }

  /** Of the last alert, suppressed or not; 0 if there is none. */
  lastAlertSeq(): number {
    const sql = "SELECT IFNULL(MAX(seq), 0) AS seq FROM alerts";
    return this.#attempt(() => this.#prepared(sql).get() as { seq: number }).seq;
  }

  close(): void {
    this.#database.close();
  }

  #setUp(isTemporary: boolean): void {
    const database = this.#database;
    database.exec("PRAGMA busy_timeout = 1000");
    const isNew = this.#isNew();
    database.exec("PRAGMA journal_mode = WAL; PRAGMA locking_mode = EXCLUSIVE");
    database.exec(`PRAGMA synchronous = ${isTemporary ? "OFF" : "FULL"}; BEGIN IMMEDIATE; COMMIT`);
    if (isNew) {
      this.#transaction(() => {
        database.exec(`${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}`);
        this.setMeta("schemaVersion", String(SCHEMA_VERSION));
      });
    }
    const version = this.meta("schemaVersion");
    if (version === String(SCHEMA_VERSION)) {
      // A table that came later is no other version: who does not know it does not read it.
      if (!isNew) database.exec(SCHEMA);
      return;
    }
    throw new OddlinkError(
      "STORE_MISMATCH",
      `${this.path} has store version ${version}, this program writes ${SCHEMA_VERSION}`,
    );
  }

  /** Only looks: nothing may change in a database that is somebody else's. */
  #isNew(): boolean {
    const { application_id } = this.#database.prepare("PRAGMA application_id").get() as {
      application_id: number;
    };
    if (application_id === APPLICATION_ID) return false;
    const tables = this.#database.prepare("SELECT name FROM sqlite_master").all() as { name: string }[];
    if (application_id === 0 && tables.length === 0) return true;
    // Stores of before there was an id.
    if (["meta", "graph_state"].every((ours) => tables.some(({ name }) => name === ours))) return false;
    throw new OddlinkError(
      "STORE_MISMATCH",
      `${this.path} is another program's database and was left as it is; give --store a file of its own`,
    );
  }

  *#rows<Row>(sql: string, ...values: number[]): Generator<Row> {
    try {
      yield* this.#prepared(sql).iterate(...values) as Generator<Row>;
    } catch (error) {
      throw storeError(this.path, error);
    }
  }

  #transaction(work: () => void): void {
    this.#attempt(() => {
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        work();
        this.#database.exec("COMMIT");
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  /** What SQLite throws becomes an error with a code and a hint; a bug stays what it is. */
  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(this.path, error);
    }
  }

  #addAlerts(table: AlertTable, alerts: readonly AlertRecord[]): void {
    const add = this.#prepared(
      `INSERT INTO ${table} (uid, incident_uid, time_ms, signal, score, partition, offset, finding) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const suppress = this.#prepared("INSERT INTO suppressed_alerts (seq, rule) VALUES (?, ?)");
    const close = this.#prepared("INSERT INTO closings (seq) VALUES (?)");
    for (const a of alerts) {
      const { lastInsertRowid: seq } = add.run(
        a.uid,
        a.incidentUid,
        a.timeMs,
        a.signal,
        a.score,
        a.partition,
        a.offset,
        a.finding,
      );
      if (a.suppressedBy !== undefined && table === "alerts") suppress.run(seq, a.suppressedBy);
      if (a.isClosing) close.run(seq);
    }
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

const DAMAGED =
  "it is damaged: put back a copy of it, or give another --store and read the whole input again";

/** Primary result codes of SQLite: what they mean here, and what helps. */
const MEANINGS: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  5: ["STORE_BUSY", "another process uses it, and one at a time can; wait for it, or give another --store"],
  8: ["STORE_UNREADABLE", "may it be written to?"],
  10: ["STORE_UNREADABLE", "is the disk in order?"],
  11: ["STORE_UNREADABLE", DAMAGED],
  13: ["OUTPUT_UNWRITABLE", "make room and run again: what was committed is kept"],
  14: ["STORE_UNREADABLE", "does its folder exist, and may both be written to?"],
  26: ["STORE_UNREADABLE", "it is no oddlink store; give --store a file of its own"],
};

function storeError(path: string, error: unknown): unknown {
  const { code, errcode = 0, message } = error as Error & { code?: string; errcode?: number };
  if (code !== "ERR_SQLITE_ERROR") return error;
  const [ours, hint] = MEANINGS[errcode & 0xff] ?? ["STORE_UNREADABLE", DAMAGED];
  return new OddlinkError(ours, `store ${path}: ${message}; ${hint}`, { cause: error });
}
