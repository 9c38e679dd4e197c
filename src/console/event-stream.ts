import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { FeedEvent, IncidentFeed } from "./incident-feed.ts";

/** Listeners at once, and what one may leave unread before it is cut off: it comes back, and is told what it missed. */
export const LISTENERS_MAX = 500;
const UNREAD_BYTES_MAX = 1 << 20;
/** Proxies end connections that are silent. */
const HEARTBEAT_MS = 15_000;
/** Alerts gather for so long, as a write to each of hundreds of connections takes milliseconds, and logins wait meanwhile. */
const GATHER_MS = 100;
/** And so many connections are written to before others have their turn. */
const WRITES_PER_TURN = 4;
const HEARTBEAT = Buffer.from(":\n\n");

/** Tells of new alerts by server-sent events. Who reads too slowly is cut off, and holds up nobody. */
export class EventStream {
  readonly #feed: IncidentFeed;
  /** Each with how many alerts there had been when it came: those it is told of by itself. */
  readonly #listeners = new Map<ServerResponse, number>();
  readonly #unsubscribe: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  /** Alerts that are not told of yet; `#count` of them and all before. */
  #gathered: Buffer[] = [];
  #count = 0;
  #telling: Promise<void> = Promise.resolve();

  constructor(feed: IncidentFeed) {
    this.#feed = feed;
    this.#unsubscribe = feed.subscribe((event) => this.#gather(event));
    this.#heartbeat = setInterval(() => {
      this.#telling = this.#telling.then(() => this.#write(() => HEARTBEAT));
    }, HEARTBEAT_MS);
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
    const missed = lastId === undefined ? [] : this.#feed.since(lastId);
    for (const event of missed) response.write(messageOf(event));
    this.#listeners.set(response, this.#count);
    response.on("close", () => this.#listeners.delete(response));
    response.on("error", () => this.#listeners.delete(response));
  }

  close(): void {
    this.#unsubscribe();
    clearInterval(this.#heartbeat);
    for (const response of this.#listeners.keys()) response.destroy();
    this.#listeners.clear();
  }

  #gather(event: FeedEvent): void {
    this.#count++;
    this.#gathered.push(Buffer.from(messageOf(event)));
    if (this.#gathered.length > 1) return;
    const timer = setTimeout(() => {
      const messages = this.#gathered;
      this.#gathered = [];
      const first = this.#count - messages.length;
      const all = Buffer.concat(messages);
      this.#telling = this.#telling.then(() =>
        this.#write((since) =>
          since <= first ? all : Buffer.concat(messages.slice(Math.min(since - first, messages.length))),
        ),
      );
    }, GATHER_MS);
    timer.unref();
  }

  /** @param messageFor what a listener is to be told that came after so many alerts; nothing if it is empty */
  async #write(messageFor: (since: number) => Buffer): Promise<void> {
    let writes = 0;
    for (const [response, since] of this.#listeners) {
      const message = messageFor(since);
      if (message.length === 0) continue;
      if (response.writableLength > UNREAD_BYTES_MAX) {
        this.#listeners.delete(response);
        response.destroy();
      } else response.write(message);
      if (++writes % WRITES_PER_TURN === 0) await nextTurn();
    }
  }
}

function messageOf({ id, finding }: FeedEvent): string {
  return `id: ${id}\nevent: alert\ndata: ${JSON.stringify(finding)}\n\n`;
}
