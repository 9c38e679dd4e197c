import { isLoopback } from "./http.ts";
import type { Config } from "./schema.ts";

/**
 * Credentials that would go over the network in the clear, in words, each with what to do; none of those that stay on this machine.
 * It is no error: in a mesh another process encrypts.
 */
export function plaintextCredentials({ kafka, input: { registry }, outputs }: Config): string[] {
  const { mechanism } = kafka.sasl;
  const far = kafka.brokers.filter((broker) => !isLoopback(hostOf(`kafka://${broker}`)));
  const troubles: string[] = [];
  if (mechanism !== undefined && !kafka.ssl.enabled && far.length > 0) {
    const what = mechanism === "plain" ? "password" : mechanism === "oauthbearer" ? "token" : "login";
    // Of SCRAM who listens gets what a guess can be tried on, and every record.
    const how =
      what === "login"
        ? "can be guessed at by who listens, as records can be read"
        : "goes to brokers in the clear";
    troubles.push(`without TLS the ${what} of kafka.sasl ${how}: set kafka.ssl.enabled`);
  }
  if (registry !== undefined && isClear(registry.url)) {
    const { username, password } = new URL(registry.url);
    if ((registry.token ?? registry.password ?? (username || password)) !== "")
      troubles.push("the credentials of input.registry go over http in the clear: set an https URL");
  }
  for (const { name, url, token, tokenFile } of outputs.webhooks) {
    if (url !== undefined && isClear(url) && (token ?? tokenFile) !== undefined)
      troubles.push(`the token of the webhook ${name} goes over http in the clear: set an https URL`);
  }
  return troubles;
}

function isClear(url: string): boolean {
  return /^http:/i.test(url) && !isLoopback(hostOf(url));
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, "$1") : "";
}
