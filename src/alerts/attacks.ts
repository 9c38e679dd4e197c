import { isRemote, type Login } from "../ingest/login.ts";
import type { Attack } from "./detection-finding.ts";
import { domainOf } from "./entity.ts";
import type { OddLogin } from "./odd-login.ts";

const INITIAL_ACCESS = { uid: "TA0001", name: "Initial Access" };
const CREDENTIAL_ACCESS = { uid: "TA0006", name: "Credential Access" };
const LATERAL_MOVEMENT = { uid: "TA0008", name: "Lateral Movement" };

const VALID_ACCOUNTS: Attack = {
  tactic: INITIAL_ACCESS,
  technique: { uid: "T1078", name: "Valid Accounts" },
};
const LOCAL_ACCOUNTS: Attack = {
  ...VALID_ACCOUNTS,
  sub_technique: { uid: "T1078.003", name: "Local Accounts" },
};
const BRUTE_FORCE: Attack = {
  tactic: CREDENTIAL_ACCESS,
  technique: { uid: "T1110", name: "Brute Force" },
};
const REMOTE_SERVICES: Attack = {
  tactic: LATERAL_MOVEMENT,
  technique: { uid: "T1021", name: "Remote Services" },
};
const REMOTE_DESKTOP: Attack = {
  ...REMOTE_SERVICES,
  sub_technique: { uid: "T1021.001", name: "Remote Desktop Protocol" },
};
const ALTERNATE_MATERIAL = {
  tactic: LATERAL_MOVEMENT,
  technique: { uid: "T1550", name: "Use Alternate Authentication Material" },
};
const PASS_THE_HASH: Attack = {
  ...ALTERNATE_MATERIAL,
  sub_technique: { uid: "T1550.002", name: "Pass the Hash" },
};
const PASS_THE_TICKET: Attack = {
  ...ALTERNATE_MATERIAL,
  sub_technique: { uid: "T1550.003", name: "Pass the Ticket" },
};

/** NTLM under the names Windows and its logs give it, the package's own one included. */
const NTLM = /ntlm|msv_?1_0|^microsoft_authentication_package/i;
const KERBEROS = /kerberos/i;
/** Windows logon types as names or numbers, letters and digits only, in lower case. */
const DESKTOP_LOGON_TYPES = new Set(["remoteinteractive", "10", "cachedremoteinteractive", "12"]);
const NETWORK_LOGON_TYPES = new Set(["network", "3", "networkcleartext", "8"]);

/**
 * ATT&CK techniques that would look like this login. Suggestions: the engine has evidence of oddness, not of a
 * technique, and every text that names one says so. Never empty.
 *
 * - a login that did not fail: Valid Accounts, of a host's own account if the domain is one of the two hosts;
 * - a failed one, or failures among the reasons: Brute Force;
 * - presence: pass the hash over NTLM, pass the ticket over Kerberos;
 * - a login from host to host: Remote Desktop by its logon type, else Remote Services where a network login's link is
 *   what is odd (surprise, link).
 */
export function suggestedAttacks(odd: Pick<OddLogin, "login" | "signal" | "reasons">): Attack[] {
  const { login, signal } = odd;
  const logonType = login.logonType.toLowerCase().replace(/[^a-z0-9]/g, "");
  const attacks: Attack[] = [];
  if (login.outcome !== "failure") attacks.push(isLocalAccount(login) ? LOCAL_ACCOUNTS : VALID_ACCOUNTS);
  if (login.outcome === "failure" || failuresAmong(odd.reasons)) attacks.push(BRUTE_FORCE);
  if (signal === "presence" && NTLM.test(login.authType)) attacks.push(PASS_THE_HASH);
  if (signal === "presence" && KERBEROS.test(login.authType)) attacks.push(PASS_THE_TICKET);
  if (isRemote(login) && DESKTOP_LOGON_TYPES.has(logonType)) attacks.push(REMOTE_DESKTOP);
  if (isRemote(login) && NETWORK_LOGON_TYPES.has(logonType) && (signal === "surprise" || signal === "link")) {
    attacks.push(REMOTE_SERVICES);
  }
  return attacks;
}

/** Features that count failures carry the word in their name, whichever entity they count for. */
function failuresAmong(reasons: OddLogin["reasons"]): boolean {
  return reasons.some((reason) => reason.contribution > 0 && /failure/i.test(reason.feature));
}

function isLocalAccount(login: Login): boolean {
  const domain = domainOf(login.targetUser === "" ? login.user : login.targetUser).toLowerCase();
  return domain !== "" && [login.sourceHost, login.targetHost].some((host) => host.toLowerCase() === domain);
}
