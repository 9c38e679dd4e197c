/** Reads log files of any known format into a store, and goes on there the next time: `node read-files.ts STORE FILE...` */
import { openEngine, readRecords } from "oddlink";

const [store = "logins.db", ...files] = process.argv.slice(2);

const engine = await openEngine({
  store,
  settings: { alertsPerDay: 20, training: { mode: "off" } },
  // The next records wait for what a handler gives back: here could stand a request.
  onAlert: async (finding) => console.log(finding.finding_info.title),
  onRejected: ({ offset, detail }) => console.warn(`record ${offset} can't be read: ${detail}`),
});
await engine.add(readRecords(files, { skip: engine.committed }));
console.log(engine.status());
await engine.close();
