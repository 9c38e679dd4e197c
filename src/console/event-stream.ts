import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { FeedEvent, FeedState, IncidentFeed } from "./incident-feed.ts";

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

/** How many events there had been when a listener had been told by itself of what it missed, and which kinds it wants. */
type Listener = { readonly since: number; readonly state: FeedState };
type Message = { readonly isSuppressed: boolean; readonly bytes: Buffer };

/** Tells of new alerts by server-sent events. Who reads too slowly is cut off, and holds up nobody. */
export class EventStream {
  readonly #feed: IncidentFeed;
  readonly #listeners = new Map<ServerResponse, Listener>();
  readonly #unsubscribe: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  /** Alerts that are not told of yet; `#count` of them and all before. */
  #gathered: Message[] = [];
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

  /**
   * @param lastId of the last alert that it was told of
   * @param state nobody who does not ask for it hears of what a rule suppresses
   */
  add(response: ServerResponse, lastId: string | undefined, state: FeedState = "told"): void {
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    response.write("retry: 2000\n\n");
    const gone = new AbortController();
    const leave = (): void => {
      this.#listeners.delete(response);
      gone.abort();
    };
    response.on("close", leave);
    response.on("error", leave);
    this.#listeners.set(response, { since: Number.POSITIVE_INFINITY, state });
    void this.#catchUp(response, lastId, state, gone.signal);
  }

  /** Tells what was missed as fast as it is read: all at once would be megabytes for each listener. Heartbeats cut off who reads nothing. */
  async #catchUp(
    response: ServerResponse,
    lastId: string | undefined,
    state: FeedState,
    gone: AbortSignal,
  ): Promise<void> {
    let told = -1;
    const missedFrom = (id: string): FeedEvent[] =>
      this.#feed.since(id, state).filter(({ order }) => order > told);
    for (let missed = lastId === undefined ? [] : missedFrom(lastId); missed.length > 0; ) {
      for (const event of missed) {
        response.write(messageOf(event));
        told = event.order;
        if (response.writableLength > UNREAD_BYTES_MAX)
          await once(response, "drain", { signal: gone }).catch(() => {});
        if (gone.aborted) return;
      }
      missed = missedFrom(lastId!);
    }
    this.#listeners.set(response, { since: this.#count, state });
  }

  close(): void {
    this.#unsubscribe();
    clearInterval(this.#heartbeat);
    for (const response of this.#listeners.keys()) response.destroy();
    this.#listeners.clear();
  }

  #gather(event: FeedEvent): void {
    this.#count++;
    this.#gathered.push({ isSuppressed: event.isSuppressed, bytes: Buffer.from(messageOf(event)) });
    if (this.#gathered.length > 1) return;
    const timer = setTimeout(() => {
      const messages = this.#gathered;
      this.#gathered = [];
      const first = this.#count - messages.length;
      // Once for each state that anybody listens to: as a rule one.
      const whole = new Map<FeedState, Buffer>();
      const wholeOf = (state: FeedState): Buffer => {
        const known = whole.get(state) ?? joined(messages, state);
        whole.set(state, known);
        return known;
      };
      this.#telling = this.#telling.then(() =>
        this.#write(({ since, state }) =>
          since <= first ? wholeOf(state) : joined(messages.slice(since - first), state),
        ),
      );
    }, GATHER_MS);
    timer.unref();
  }

  /** @param messageFor what a listener is to be told; nothing if it is empty */
  async #write(messageFor: (listener: Listener) => Buffer): Promise<void> {
    let writes = 0;
    for (const [response, listener] of this.#listeners) {
      const message = messageFor(listener);
      if (message.length === 0) continue;
      if (response.writableLength > UNREAD_BYTES_MAX) {
        this.#listeners.delete(response);
        response.destroy();
      } else response.write(message);
      if (++writes % WRITES_PER_TURN === 0) await nextTurn();
    }
  }
}

function joined(messages: readonly Message[], state: FeedState): Buffer {
  const wanted = messages.filter(
    ({ isSuppressed }) => state === "all" || isSuppressed === (state === "suppressed"),
  );
  return Buffer.concat(wanted.map(({ bytes }) => bytes));
}

/** What is suppressed has no id: the last one that a listener knows is always that of an alert, however many were suppressed since. */
function messageOf({ id, isSuppressed, finding }: FeedEvent): string {
  const head = isSuppressed ? "event: suppressed" : `id: ${id}\nevent: alert`;
  return `${head}\ndata: ${JSON.stringify(finding)}\n\n`;
}
