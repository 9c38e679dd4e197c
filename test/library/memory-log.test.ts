import "./from-sources.ts";
import { Buffer } from "node:buffer";
import { REAL_TIME } from "../../src/time.ts";
import { logContract } from "../conformance/log.ts";

const { MemoryLog, MemoryLogState } = await import("../../examples/embed/memory-log.ts");

logContract("the example of a log of one's own", { isShared: false }, async () => {
  const records: Uint8Array[] = [];
  const state = new MemoryLogState();
  return {
    open: async () => new MemoryLog(records, state),
    append: async (more) => void records.push(...more.map((record) => Buffer.from(record))),
    visible: async () => ({
      findings: state.commits.flatMap(({ alerts }) => alerts.map(({ finding }) => finding)),
      shadowFindings: state.commits.flatMap(({ alertsShadow = [] }) =>
        alertsShadow.map(({ finding }) => finding),
      ),
      scoredLogins: state.commits.flatMap(({ scoredLogins }) => scoredLogins.map(({ line }) => line)),
      deadLetters: state.commits.flatMap(({ deadLetters }) =>
        deadLetters.map(({ bytes }) => Buffer.from(bytes).toString()),
      ),
    }),
    time: REAL_TIME,
    run: (scenario) => scenario(),
  };
});
