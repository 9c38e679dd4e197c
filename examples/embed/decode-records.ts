/** Says what each line of log files is, without an engine: `node decode-records.ts FILE...` */
import { createDecoder, readRecords } from "oddlink";

const decoder = createDecoder();
const counts: Record<string, number> = {};
for await (const record of readRecords(process.argv.slice(2))) {
  const decoded = decoder.decode(record);
  const what = "login" in decoded ? `${decoded.kind} by ${decoded.login.authType}` : decoded.reason;
  counts[what] = (counts[what] ?? 0) + 1;
}
console.table(counts);
