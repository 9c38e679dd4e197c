// Run by `helm test`: asks every pod of the release whether it is ready, and waits for those that are not.
import { lookup } from "node:dns/promises";

const { READY_HOST: host = "", READY_PORT: port, READY_SECONDS: seconds } = process.env;
const deadlineMs = Date.now() + Number(seconds) * 1000;

/** What there is to say of each pod, by its address. */
async function answers() {
  const addresses = await lookup(host, { all: true }).catch(() => []);
  return Promise.all(
    addresses.map(async ({ address, family }) => {
      const url = `http://${family === 6 ? `[${address}]` : address}:${port}/readyz`;
      const status = await fetch(url, { signal: AbortSignal.timeout(5000) }).then(
        (answer) => answer.status,
        (error) => error.cause?.code ?? error.name,
      );
      return { url, status };
    }),
  );
}

for (;;) {
  const all = await answers();
  const isReady = all.length > 0 && all.every(({ status }) => status === 200);
  if (isReady || Date.now() > deadlineMs) {
    for (const { url, status } of all) console.log(`${url}: ${status}`);
    console.log(isReady ? `all ${all.length} are ready` : `not ready: ${all.length || "no"} pods of ${host}`);
    process.exit(isReady ? 0 : 1);
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
