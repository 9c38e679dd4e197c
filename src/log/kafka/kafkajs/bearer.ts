import { Buffer } from "node:buffer";
import kafkajs, { type Mechanism } from "kafkajs";
import { OddlinkError } from "../../../errors.ts";

/** As much of the broker's reason as goes into a message, in characters. */
const REASON_MAX = 200;
/** kafkajs hands over what was sent behind its length, as i32. */
const LENGTH_BYTES = 4;

/**
 * SASL OAUTHBEARER in place of kafkajs, which does not read the answer: a token that was refused is only noticed when
 * nothing works after it, and not even then by producers.
 *
 * @param token asked at each connection
 * @see RFC 7628, sections 3.1 and 3.2.3
 */
export function bearerMechanism(token: () => Promise<string>): Mechanism {
  return {
    mechanism: "oauthbearer",
    authenticationProvider: ({ saslAuthenticate }) => ({
      authenticate: async () => {
        const message = Buffer.from(`n,,\u0001auth=Bearer ${await bearer(token)}\u0001\u0001`);
        const length = Buffer.alloc(LENGTH_BYTES);
        length.writeInt32BE(message.length);
        const refusal = await saslAuthenticate<string>({
          request: { encode: () => Buffer.concat([length, message]) },
          response: {
            decode: (answer) => answer.subarray(LENGTH_BYTES),
            parse: (reason: Buffer) => reason.toString("utf8"),
          },
        });
        if (typeof refusal === "string" && refusal.length > 0) {
          throw new OddlinkError(
            "KAFKA_DENIED",
            `the bearer token was refused: ${refusal.slice(0, REASON_MAX)}`,
          );
        }
      },
    }),
  };
}

/** Who gives out tokens may be away for a while, like a broker. */
async function bearer(token: () => Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (error) {
    throw new kafkajs.KafkaJSConnectionError(`there is no bearer token: ${(error as Error).message}`);
  }
}
