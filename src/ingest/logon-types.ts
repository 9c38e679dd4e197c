/** Windows' numbers of logon types, which OCSF has taken over. */
const LOGON_TYPES: ReadonlyMap<string, string> = new Map([
  ["2", "Interactive"],
  ["3", "Network"],
  ["4", "Batch"],
  ["5", "Service"],
  ["7", "Unlock"],
  ["8", "NetworkCleartext"],
  ["9", "NewCredentials"],
  ["10", "RemoteInteractive"],
  ["11", "CachedInteractive"],
  ["12", "CachedRemoteInteractive"],
  ["13", "CachedUnlock"],
]);

/** The name of a logon type; what is no number of one is left as it is. */
export function logonTypeName(type: string): string {
  return LOGON_TYPES.get(type) ?? type;
}
