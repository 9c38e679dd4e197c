import pRetry from "p-retry";

/** Pauses between attempts grow from the first to the last of these, milliseconds. */
const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 60_000;

/** An alert on its way to a place outside. */
export type Delivery = {
  /** The alert's: who gets it twice can tell. */
  readonly uid: string;
  readonly timeMs: number;
  readonly contentType: string;
  /** URI reference of what it came out of, and what kind of event it is, as CloudEvents has them. */
  readonly source: string;
  readonly eventType: string;
  /** As it stands in the topic or the file: one line of JSON. */
  readonly body: string;
};

/** A place outside that alerts are sent to. */
export type Sink = {
  readonly name: string;
  /**
   * One attempt.
   *
   * @throws {Refused} if it is of no use to send this alert again; anything else: it is tried again
   */
  send(delivery: Delivery, signal: AbortSignal): Promise<void>;
  close(): void;
};

/** The place will not have this alert, however often it is sent. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/**
 * What is sent of an alert. The topic of alerts may hold what is none, by whoever may write there: it is left, and must neither be tried for
 * ever nor end the process.
 *
 * @throws {Refused} if nothing can be made of it
 */
export function formed<T>(form: () => T): T {
  try {
    return form();
  } catch {
    throw new Refused("what is in the topic is no alert");
  }
}

export type SinkCounts = { delivered: number; refused: number; failedAttempts: number; passedOver: number };

export function noSinkCounts(): SinkCounts {
  return { delivered: 0, refused: 0, failedAttempts: 0, passedOver: 0 };
}

export type DeliverOptions = {
  readonly sink: Sink;
  readonly counts: SinkCounts;
  readonly signal: AbortSignal;
  readonly onTrouble: (message: string) => void;
  /** First pause before another attempt, milliseconds. */
  readonly retryMsMin?: number;
};

/**
 * Sends an alert until it is there, or refused, or the signal stops it.
 *
 * @throws the signal's reason
 */
export async function deliver(delivery: Delivery, options: DeliverOptions): Promise<void> {
  const { sink, counts, signal, onTrouble, retryMsMin = RETRY_MS_MIN } = options;
  try {
    await pRetry(() => sink.send(delivery, signal), {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: retryMsMin,
      maxTimeout: RETRY_MS_MAX,
      randomize: true,
      signal,
      shouldRetry: ({ error }) => !(error instanceof Refused),
      onFailedAttempt: ({ error }) => {
        if (signal.aborted || error instanceof Refused) return;
        counts.failedAttempts++;
        onTrouble(`${sink.name}: ${error.message}; alerts wait, and are sent again`);
      },
    });
    counts.delivered++;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Refused)) throw error;
    counts.refused++;
    onTrouble(`${sink.name}: ${error.message}; alert ${delivery.uid} is not sent there`);
  }
}
