import { appendFileSync, copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { findSources } from "../../../src/ingest/sources.ts";
import { EmbeddedLog } from "../../../src/log/embedded/embedded-log.ts";
import { REAL_TIME } from "../../../src/time.ts";
import { logContract } from "../../conformance/log.ts";
import { temporaryFolder } from "../../processes/oddlink.ts";

logContract("the log on files and SQLite", { isShared: false }, async (t) => {
  const folder = temporaryFolder(t);
  const input = join(folder, "auth.txt");
  const store = join(folder, "store.db");
  writeFileSync(input, "");
  return {
    open: async () =>
      EmbeddedLog.open({ sources: await findSources([input]), store, recordBytesMax: 1 << 20 }),
    append: async (records) => appendFileSync(input, records.map((record) => `${record}\n`).join("")),
    visible: async () => {
      // The store is its process's alone: looked at is what would be left if that were killed now.
      const left = join(folder, "left.db");
      for (const journal of ["", "-wal"])
        if (existsSync(store + journal)) copyFileSync(store + journal, left + journal);
      const database = new DatabaseSync(left);
      const texts = (sql: string): string[] =>
        database
          .prepare(sql)
          .all()
          .map((row) => Buffer.from(Object.values(row)[0] as string | Uint8Array).toString());
      try {
        return {
          findings: texts("SELECT finding FROM alerts ORDER BY seq"),
          shadowFindings: texts("SELECT finding FROM alerts_shadow ORDER BY seq"),
          scoredLogins: texts("SELECT login FROM scored_logins ORDER BY seq"),
          deadLetters: texts("SELECT bytes FROM dead_letters ORDER BY partition, offset"),
        };
      } finally {
        database.close();
      }
    },
    time: REAL_TIME,
    run: (scenario) => scenario(),
  };
});
