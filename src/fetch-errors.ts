/** Why a request got no answer, as a code or a name: the messages of network errors may quote addresses and headers. */
export function reasonOfFetch(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  if (error.name === "TimeoutError") return "timeout";
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (typeof code === "string") return code;
  // A port that no browser talks to, and fetch does not either.
  return cause instanceof Error && cause.message === "bad port" ? "fetch refuses this port" : error.name;
}
