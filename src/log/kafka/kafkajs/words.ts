import type { LogEntry } from "kafkajs";
import { errorOfCode } from "./internals.ts";

/** Error codes that the protocol has, and some more. */
const CODES_MAX = 120;
/** What happens while all is well: members come and go, leaders move, producers take over from each other. */
const EVERYDAY_TYPES: ReadonlySet<string> = new Set([
  "ILLEGAL_GENERATION",
  "UNKNOWN_MEMBER_ID",
  "MEMBER_ID_REQUIRED",
  "REBALANCE_IN_PROGRESS",
  "CONCURRENT_TRANSACTIONS",
  "INVALID_PRODUCER_EPOCH",
  "INVALID_TXN_STATE",
  "PRODUCER_FENCED",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "FENCED_INSTANCE_ID",
  "OFFSET_OUT_OF_RANGE",
  "UNKNOWN_TOPIC_OR_PARTITION",
  "NOT_LEADER_FOR_PARTITION",
]);

const EVERYDAY_ANSWERS: ReadonlySet<string> = new Set(
  Array.from({ length: CODES_MAX }, (_, code) => errorOfCode(code))
    .filter(({ type, retriable }) => retriable === true || EVERYDAY_TYPES.has(type ?? ""))
    .map(({ message }) => message),
);

type Said = LogEntry["log"];

/** What kafkajs alone notices; of all else ours is the better word, or the error that comes of it. */
const WORDS: readonly {
  readonly namespace: RegExp;
  readonly message: RegExp;
  readonly say: (said: Said) => string | undefined;
}[] = [
  {
    namespace: /^Connection$/,
    message: /^Response \w+\(/,
    say: ({ message, error, broker }) =>
      typeof error !== "string" || EVERYDAY_ANSWERS.has(error)
        ? undefined
        : `broker ${broker} refuses a request, ${/\w+(?=\()/.exec(message)![0]}: ${error}`,
  },
  {
    namespace: /^SaslAuthenticator-/,
    message: /./,
    say: ({ message, broker }) => `logging in to broker ${broker}: ${message}`,
  },
  {
    namespace: /^ConsumerGroup$/,
    message: /unsubscribed topics/,
    say: ({ groupId }) =>
      `another member of the group ${groupId} reads other topics: give it a group of its own (kafka.group)`,
  },
  {
    namespace: /^ConsumerGroup$/,
    message: /^Offset out of range, resetting/,
    say: ({ topic, partition }) =>
      `partition ${partition} of ${topic} does not hold any more what was to be read next`,
  },
];

/**
 * What an operator should read of what kafkajs says, or undefined if that is nothing: it calls errors what is part of every
 * stop, every rebalance and every outage. Never credentials, nor what is in records.
 */
export function wordsFor({ namespace, log }: Pick<LogEntry, "namespace" | "log">): string | undefined {
  return WORDS.find((words) => words.namespace.test(namespace) && words.message.test(log.message))?.say(log);
}
