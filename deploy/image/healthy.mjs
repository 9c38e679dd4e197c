// HEALTHCHECK of the images: asks the process of this container whether it works. Where it serves nothing, as a run of files does, its end
// is all there is to know.
const {
  ODDLINK_MANAGEMENT_HOST: host,
  ODDLINK_MANAGEMENT_PORT: management,
  ODDLINK_HTTP_PORT: page,
} = process.env;
const isAnywhere = !host || host === "0.0.0.0" || host === "::";
const address = !management || isAnywhere ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
const url = `http://${address}:${management || page || 9464}/healthz`;

try {
  const { status } = await fetch(url, { signal: AbortSignal.timeout(4000) });
  console.log(`${url}: ${status}`);
  process.exitCode = status === 200 ? 0 : 1;
} catch (error) {
  const { code } = error.cause ?? {};
  const isServed = Boolean(management || page) || code !== "ECONNREFUSED";
  console.log(`${url}: ${code ?? error.message}${isServed ? "" : ", nothing is served here"}`);
  process.exitCode = isServed ? 1 : 0;
}
