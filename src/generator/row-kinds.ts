import { Buffer } from "node:buffer";

/** The last four columns of a row: auth type, logon type, orientation, outcome. */
const TAILS: string[] = [];

function kind(tail: string): number {
  return TAILS.push(tail) - 1;
}

export const KERBEROS = kind("Kerberos,Network,LogOn,Success");
export const KERBEROS_FAIL = kind("Kerberos,Network,LogOn,Fail");
export const NTLM = kind("NTLM,Network,LogOn,Success");
export const NTLM_FAIL = kind("NTLM,Network,LogOn,Fail");
export const SERVICE = kind("Negotiate,Service,LogOn,Success");
export const BATCH = kind("Negotiate,Batch,LogOn,Success");
export const BATCH_FAIL = kind("Negotiate,Batch,LogOn,Fail");
export const INTERACTIVE = kind("Negotiate,Interactive,LogOn,Success");
export const INTERACTIVE_FAIL = kind("Negotiate,Interactive,LogOn,Fail");
export const UNLOCK = kind("Negotiate,Unlock,LogOn,Success");
export const UNLOCK_FAIL = kind("Negotiate,Unlock,LogOn,Fail");
export const NEW_CREDENTIALS = kind("Negotiate,NewCredentials,LogOn,Success");
export const NETWORK_CLEARTEXT = kind("Negotiate,NetworkCleartext,LogOn,Success");
export const CACHED_INTERACTIVE = kind("Negotiate,CachedInteractive,LogOn,Success");
export const REMOTE_INTERACTIVE = kind("Negotiate,RemoteInteractive,LogOn,Success");
export const MSV1_0 = kind("MICROSOFT_AUTHENTICATION_PACKAGE_V1_0,Network,LogOn,Success");
export const MSV1_0_FAIL = kind("MICROSOFT_AUTHENTICATION_PACKAGE_V1_0,Network,LogOn,Fail");
export const LOG_OFF = kind("?,Network,LogOff,Success");
export const UNLOCK_OFF = kind("?,Unlock,LogOff,Success");
export const BATCH_OFF = kind("?,Batch,LogOff,Success");
export const INTERACTIVE_OFF = kind("?,Interactive,LogOff,Success");
export const SERVICE_OFF = kind("?,Service,LogOff,Success");
export const CLEARTEXT_OFF = kind("?,NetworkCleartext,LogOff,Success");
export const TGT = kind("?,?,TGT,Success");
export const TGT_FAIL = kind("?,?,TGT,Fail");
export const TGS = kind("?,?,TGS,Success");
export const TGS_FAIL = kind("?,?,TGS,Fail");
export const AUTH_MAP = kind("?,?,AuthMap,Success");
export const SCREEN_LOCK = kind("?,?,ScreenLock,Success");
export const SCREEN_UNLOCK = kind("?,?,ScreenUnlock,Success");

/** Their bytes one after the other, a line feed at the end of each. */
export const TAIL_BYTES: Uint8Array = Buffer.from(TAILS.map((tail) => `${tail}\n`).join(""), "latin1");
/** Kind i lies in `TAIL_STARTS[i] .. TAIL_STARTS[i + 1] - 1`. */
export const TAIL_STARTS = new Int32Array(TAILS.length + 1);
for (const [i, tail] of TAILS.entries()) TAIL_STARTS[i + 1] = TAIL_STARTS[i] + tail.length + 1;
