import { readFileSync } from "node:fs";
import { isWebhookUrl } from "../config/outputs.ts";
import type { Config } from "../config/schema.ts";
import type { Sink } from "../delivery/sink.ts";
import { Syslog } from "../delivery/syslog.ts";
import { Webhook } from "../delivery/webhook.ts";
import { OddlinkError } from "../errors.ts";

/**
 * The sinks of the configuration.
 *
 * @throws {OddlinkError} CONFIG_INVALID for a file that can't be read
 */
export function sinksOf({ webhooks, syslog }: Config["outputs"]): Sink[] {
  return [
    ...webhooks.map(({ url, urlFile, token, tokenFile, ...options }) => {
      const place = url ?? secretOf("urlFile", urlFile!);
      if (!isWebhookUrl(place))
        throw new OddlinkError(
          "CONFIG_INVALID",
          `outputs.webhooks: ${urlFile} holds no URL as https://host/path, without user and password`,
        );
      return new Webhook({
        ...options,
        url: place,
        token: tokenFile === undefined ? token : tokenOf(tokenFile),
      });
    }),
    ...syslog.map(({ tls, caFile, ...options }) => {
      const ca = caFile === undefined ? {} : { ca: secretOf("caFile", caFile) };
      return new Syslog({ ...options, tls: tls ? ca : undefined });
    }),
  ];
}

function tokenOf(file: string): string {
  const token = secretOf("tokenFile", file);
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new OddlinkError(
      "CONFIG_INVALID",
      `outputs: tokenFile: ${file} is empty, or holds more than a token`,
    );
  return token;
}

function secretOf(setting: string, file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OddlinkError("CONFIG_INVALID", `outputs: ${setting}: can't read ${file} (${code})`);
  }
}
