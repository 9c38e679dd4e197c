/** Runs an engine on a log of one's own, in two goes: the second one knows what the first has learnt. */
import { startEngine } from "oddlink";
import { MemoryLog, MemoryLogState } from "./memory-log.ts";

/** In LANL's columns: time, account, account, source, target, protocol, kind, log on or off, outcome. */
const day = (from: number) =>
  Array.from({ length: 300 }, (_, i) =>
    Buffer.from(`${from + i * 200},U${i % 3}@D,U${i % 3}@D,C${i % 3},S1,Kerberos,Network,LogOn,Success`),
  );
const odd = Buffer.from("120001,U1@D,U1@D,C2,S1,NTLM,Network,LogOn,Success");

const state = new MemoryLogState();
const records = day(0);
for (const more of [[], [...day(60_000), odd]]) {
  records.push(...more);
  const log = new MemoryLog(records, state);
  const engine = await startEngine(log, { settings: { input: { format: "lanl" } } });
  await engine.ended;
  await log.close();
  const findings = state.commits.flatMap(({ alerts }) => alerts.map(({ finding }) => JSON.parse(finding)));
  console.log(
    `${engine.status().scored} logins`,
    findings.map(({ message }) => message),
  );
}
