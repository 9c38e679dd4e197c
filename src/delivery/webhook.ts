import { setTimeout as sleep } from "node:timers/promises";
import { reasonOfFetch } from "../fetch-errors.ts";
import { type Delivery, formed, Refused, type Sink } from "./sink.ts";

/** What a body is: the alert as it is, or its message alone, which chats show. */
export const WEBHOOK_BODIES = ["alert", "text"] as const;

export type WebhookOptions = {
  readonly name: string;
  /** May be a secret: only its origin is ever said. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly body: (typeof WEBHOOK_BODIES)[number];
  /** For one attempt, answer included. */
  readonly timeoutMs: number;
};

/** Longest pause that a server may ask for. */
const RETRY_AFTER_MS_MAX = 300_000;
/** What is wrong with the request itself, and so with every attempt: all but what says "not now" or "not you". */
const REFUSALS: ReadonlySet<number> = new Set([400, 406, 409, 410, 413, 415, 422]);

/**
 * Posts each alert to a URL, as a CloudEvent in HTTP's binary mode: `ce-id` is the alert's uid, by which who gets it twice can tell.
 *
 * Delivered is what was answered with 2xx. Redirections are not followed: a token is for this address only.
 */
export class Webhook implements Sink {
  readonly name: string;
  readonly #options: WebhookOptions;
  readonly #place: string;

  constructor(options: WebhookOptions) {
    this.name = `webhook ${options.name}`;
    this.#options = options;
    this.#place = new URL(options.url).origin;
  }

  async send(delivery: Delivery, signal: AbortSignal): Promise<void> {
    const { url, timeoutMs } = this.#options;
    const body = formed(() => this.#bodyOf(delivery));
    let response: Response;
    const attempt = new AbortController();
    const stop = (): void => attempt.abort();
    signal.addEventListener("abort", stop);
    const timer = setTimeout(() => attempt.abort(TIMEOUT), timeoutMs);
    try {
      response = await fetch(url, {
        method: "POST",
        headers: this.#headersOf(delivery),
        body,
        redirect: "manual",
        signal: attempt.signal,
      });
      await response.body?.cancel();
    } catch (error) {
      throw new Error(`${this.#place} does not answer (${reasonOfFetch(error)})`, { cause: error });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
    const { status } = response;
    if (status >= 200 && status < 300) return;
    const isElsewhere = status >= 300 && status < 400;
    const hint = isElsewhere ? ", a redirection, which is not followed: set the url that it leads to" : "";
    const said = `${this.#place} answers with status ${status}${hint}`;
    if (REFUSALS.has(status)) throw new Refused(said);
    const askedMs = retryAfterMs(response.headers.get("retry-after"));
    if (askedMs > 0) await sleep(askedMs, undefined, { signal });
    throw new Error(said);
  }

  close(): void {}

  #headersOf({ uid, timeMs, contentType, source, eventType }: Delivery): Record<string, string> {
    const { token, body } = this.#options;
    return {
      "content-type": body === "text" ? "application/json" : contentType,
      "ce-specversion": "1.0",
      "ce-id": uid,
      "ce-source": source,
      "ce-type": eventType,
      "ce-time": new Date(timeMs).toISOString(),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
  }

  #bodyOf({ body }: Delivery): string {
    if (this.#options.body === "alert") return body;
    const { message } = JSON.parse(body) as { readonly message: string };
    return JSON.stringify({ text: inert(message) });
  }
}

/** Chats make links and calls to everybody of what stands in angle brackets, and whoever fails to log in chooses his name. */
function inert(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Seconds or a date, as HTTP has it; 0 for anything else. */
function retryAfterMs(text: string | null): number {
  if (text === null) return 0;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), RETRY_AFTER_MS_MAX) : 0;
}

const TIMEOUT = new DOMException("timeout", "TimeoutError");
