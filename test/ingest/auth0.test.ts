import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("calls of the Management API and warnings are no logins, each record", () => {
  const lines = decodeSample("auth0-events.jsonl", "auth0");
  assertGolden("auth0-events", lines);
  assert.deepEqual(countsOf(lines), { "ignored not-a-login": 39 });
});

// Written by hand after the published shape, as the sample holds no login.
const DATA = {
  date: "2026-03-01T10:00:00.365Z",
  type: "s",
  connection: "corp-users",
  connection_id: "con_1",
  client_id: "A1b2C3",
  client_name: "Payroll Portal",
  ip: "203.0.113.7",
  hostname: "auth.corp.example",
  user_id: "auth0|6459776e",
  user_name: "Ann@Corp.example",
  strategy: "auth0",
  details: { prompts: [{ name: "login", flow: "login", user_name: "ann@corp.example" }] },
  log_id: "90020260301100000",
};
const MFA_PROMPT = { name: "mfa", flow: "mfa", performed_amr: ["mfa"], provider: "guardian" };

function decoded(changes: object = {}): string {
  return decodedRecord({ log_id: DATA.log_id, data: { ...DATA, ...changes } });
}

function decodedRecord(record: object): string {
  const bytes = Buffer.from(JSON.stringify(record));
  return textOfDecoded(createDecoder("auto", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

const EXPECTED = {
  timeMs: Date.UTC(2026, 2, 1, 10, 0, 0, 365),
  user: "ann@corp.example",
  targetUser: "ann@corp.example",
  sourceHost: "203.0.113.7",
  targetHost: "payroll portal",
  authType: "corp-users",
  logonType: "",
  outcome: "success",
  evidence: "none",
  uid: "90020260301100000",
};

test("a successful login is one, by whichever way the log came", () => {
  const expected = `login ${JSON.stringify(EXPECTED)}`;
  assert.equal(decoded(), expected);
  assert.equal(decodedRecord(DATA), expected);
  const { log_id } = DATA;
  assert.equal(decodedRecord({ "detail-type": "Auth0 log", detail: { log_id, data: DATA } }), expected);
  assert.equal(decoded({ date: "2026-03-01 10:00:00.365000000" }), expected);
});

test("it is strong evidence if one of its prompts was a second factor that was passed", () => {
  const evidence = (prompts: unknown, type = "s") =>
    /"evidence":"(\w+)"/.exec(decoded({ type, details: { prompts } }))?.[1];
  assert.equal(evidence([...DATA.details.prompts, MFA_PROMPT]), "strong");
  assert.equal(evidence([MFA_PROMPT], "f"), "none");
  assert.equal(evidence([{ ...MFA_PROMPT, performed_amr: [] }]), "none");
  assert.equal(evidence([null, "mfa", { performed_amr: "mfa" }]), "none");
  assert.equal(evidence({ performed_amr: ["mfa"] }), "none");
});

test("the type says what became of it", () => {
  const outcome = (type: string) => /"outcome":"(\w+)"/.exec(decoded({ type }))?.[1] ?? decoded({ type });
  for (const type of ["s", "scoa", "sens", "ssa"]) assert.equal(outcome(type), "success");
  for (const type of ["f", "fp", "fu", "fcoa", "fens", "fsa"]) assert.equal(outcome(type), "failure");
  assert.equal(outcome("slo"), "ignored log-off");
  assert.equal(outcome("seacft"), "ignored not-a-login");
  assert.equal(outcome("constructor"), "ignored not-a-login");
  assert.equal(outcome(""), "rejected unknown-event: no type");
});

test("an account without a name goes by its id, an application by its own, or by the service", () => {
  assert.match(decoded({ user_name: "" }), /"user":"auth0\|6459776e"/);
  assert.match(decoded({ client_name: "" }), /"targetHost":"a1b2c3"/);
  assert.match(decoded({ client_name: "", client_id: null }), /"targetHost":"auth0"/);
  assert.match(decoded({ connection: "" }), /"authType":"auth0"/);
  assert.match(decoded({ type: "f", user_name: "", user_id: "" }), /^rejected no-user/);
  assert.equal(decoded({ type: "fsa", user_name: "", user_id: "" }), "ignored not-a-login");
});
