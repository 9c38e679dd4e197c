import { isIP } from "node:net";
import { z } from "zod";
import { secretSchema } from "./secrets.ts";

/** Where health, API and page are by custom; the first of several processes on a host has it. */
export const HTTP_PORT = 9464;

/** The HTTP side of a worker. */
export const httpSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .optional()
      .describe("health, API and events over HTTP; unset: with --kafka, or --serve"),
    host: z
      .string()
      .min(1)
      .max(253)
      .default("127.0.0.1")
      .describe("address to listen on; beyond loopback only with token or trustedHeader"),
    port: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe(`port to listen on; 0 for a free one; unset: ${HTTP_PORT}, or a free one if that is taken`),
    token: secretSchema
      .regex(/^[\x21-\x7e]{16,}$/, "expected 16 characters or more, without blanks")
      .optional()
      .describe("bearer token that all but the health checks ask for"),
    trustedHeader: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,100}$/, "expected the name of a header")
      .optional()
      .describe(
        "header in which a reverse proxy before this names the user it let in, such as X-Forwarded-User; the proxy must remove it from what clients send",
      ),
  })
  .refine(({ host, token, trustedHeader }) => isLoopback(host) || (token ?? trustedHeader) !== undefined, {
    message: "beyond loopback a token or a trustedHeader is needed: else anybody could read alerts",
  })
  .prefault({});

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
