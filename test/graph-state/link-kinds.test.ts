import assert from "node:assert/strict";
import { test } from "node:test";
import { Graph } from "../../src/graph-state/graph.ts";
import { linkKindSchema } from "../../src/graph-state/link-kinds.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { addLogin, login } from "./logins.ts";

const WINDOW = { days: 30, maxLinks: 1000 };
const PAIR = { from: "sourceHost", to: "targetHost" } as const;

function relationNames(relation: string): readonly string[] {
  const graph = new Graph({ links: [linkKindSchema.parse({ ...PAIR, relation })], window: WINDOW });
  for (const targetUser of ["root", "oracle"])
    for (const authType of ["Kerberos", "NTLM"]) addLogin(graph, login({ targetUser, authType }));
  return trainingInput(graph).graph.relationNames;
}

test("a relation is made of any columns, in the order in which they are named", () => {
  assert.deepEqual(relationNames("untyped"), ["sourceHost-targetHost"]);
  assert.deepEqual(relationNames("authType"), [
    "sourceHost-targetHost/Kerberos",
    "sourceHost-targetHost/NTLM",
  ]);
  assert.deepEqual(relationNames("targetUser::authType::logonType"), [
    "sourceHost-targetHost/oracle::Kerberos::Network",
    "sourceHost-targetHost/oracle::NTLM::Network",
    "sourceHost-targetHost/root::Kerberos::Network",
    "sourceHost-targetHost/root::NTLM::Network",
  ]);
});

test("names as long as they may be fit into a relation", () => {
  const long = "x".repeat(256);
  const graph = new Graph({
    links: [linkKindSchema.parse({ ...PAIR, relation: "user::targetUser::authType::logonType" })],
    window: WINDOW,
  });
  addLogin(graph, login({ user: long, targetUser: long, authType: long, logonType: long }));
  const [name] = trainingInput(graph).graph.relationNames;
  assert.equal(name, `sourceHost-targetHost/${[long, long, long, long].join("::")}`);
});

test("what is no column, and a column that is named twice, is refused with those that may be", () => {
  for (const relation of ["host", "", "authType::", "authType::authType", "untyped::authType"])
    assert.throws(
      () => linkKindSchema.parse({ ...PAIR, relation }),
      /expected untyped, or different ones of user, /,
      relation,
    );
});
