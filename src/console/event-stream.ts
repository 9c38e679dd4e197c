import type { ServerResponse } from "node:http";
import type { FeedEvent, IncidentFeed } from "./incident-feed.ts";

/** Listeners at once, and what one may leave unread before it is cut off: it comes back, and is told what it missed. */
export const LISTENERS_MAX = 500;
const UNREAD_BYTES_MAX = 1 << 20;
/** Proxies end connections that are silent. */
const HEARTBEAT_MS = 15_000;

/** Tells of new alerts by server-sent events. An alert is written once for all; who reads too slowly is cut off, and holds up nobody. */
export class EventStream {
  readonly #feed: IncidentFeed;
  readonly #listeners = new Set<ServerResponse>();
  readonly #unsubscribe: () => void;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(feed: IncidentFeed) {
    this.#feed = feed;
    this.#unsubscribe = feed.subscribe((event) => this.#send(Buffer.from(messageOf(event))));
    this.#heartbeat = setInterval(() => this.#send(Buffer.from(":\n\n")), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  get isFull(): boolean {
    return this.#listeners.size >= LISTENERS_MAX;
  }

  /** @param lastId of the last alert that it was told of */
  add(response: ServerResponse, lastId: string | undefined): void {
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    response.write("retry: 2000\n\n");
    if (lastId !== undefined) for (const event of this.#feed.since(lastId)) response.write(messageOf(event));
    this.#listeners.add(response);
    response.on("close", () => this.#listeners.delete(response));
    response.on("error", () => this.#listeners.delete(response));
  }

  close(): void {
    this.#unsubscribe();
    clearInterval(this.#heartbeat);
    for (const response of this.#listeners) response.destroy();
    this.#listeners.clear();
  }

  #send(message: Buffer): void {
    for (const response of this.#listeners) {
      if (response.writableLength > UNREAD_BYTES_MAX) {
        this.#listeners.delete(response);
        response.destroy();
      } else response.write(message);
    }
  }
}

function messageOf({ id, finding }: FeedEvent): string {
  return `id: ${id}\nevent: alert\ndata: ${JSON.stringify(finding)}\n\n`;
}
