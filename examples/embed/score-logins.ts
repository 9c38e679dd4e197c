/** Scores logins that the program has, and asks what another one would be scored as. */
import { openEngine } from "oddlink";

const MINUTE_MS = 60_000;
const startMs = Date.UTC(2026, 0, 5, 8);
const ann = { user: "ann", sourceHost: "pc-ann", targetHost: "files", authType: "Kerberos" };
const bob = { user: "bob", sourceHost: "pc-bob", targetHost: "mail", authType: "Kerberos" };
const usual = Array.from({ length: 200 }, (_, i) => ({
  ...(i % 2 === 0 ? ann : bob),
  timeMs: startMs + i * 10 * MINUTE_MS,
}));
// By NTLM, from a host on which ann never showed a ticket.
const odd = { ...ann, timeMs: startMs + 2001 * MINUTE_MS, sourceHost: "pc-bob", authType: "NTLM" };

const engine = await openEngine({
  onAlert: (finding) => console.log(`${finding.severity}: ${finding.message}`),
});
await engine.add([...usual, odd]);

// What if: nothing is learnt from these.
for (const login of [bob, { ...bob, sourceHost: "pc-ann", authType: "NTLM" }]) {
  const probed = engine.probe(login);
  if (probed.kind === "scored") console.log(`bob from ${login.sourceHost}: ${probed.score}`);
}
const { scored, alerts } = engine.status();
console.log(`${scored} logins, ${alerts} alert`);
await engine.close();
