import { Buffer } from "node:buffer";
import { createServer, connect as dial, type Server, type Socket } from "node:net";

/** Numbers of requests in Kafka's protocol. */
export const PRODUCE = 0;
export const SYNC_GROUP = 14;
export const ADD_PARTITIONS_TO_TXN = 24;
export const END_TXN = 26;

/** A request begins with length:i32, not counted in itself, and number:i16. */
const LENGTH_BYTES = 4;
const HEAD_BYTES = 6;

type Loss = { readonly request: number; readonly what: "request" | "answer"; times: number };

/**
 * What the link is like: `whole`; `cut`, so that connections are closed and none is made; or `half-open`, where both ends
 * believe in their connections and nothing comes through.
 */
export type Link = "whole" | "cut" | "half-open";

/**
 * A TCP proxy in front of a broker that loses requests of one kind, or the answers to them: the connection is cut, before
 * the broker has seen the request or after it has answered. It can be a bad link too.
 */
export class LosingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #brokerPort = 0;
  #loss: Loss | undefined;
  #link: Link = "whole";
  #delayMs = 0;

  private constructor() {
    this.#server = createServer((client) => this.#serve(client));
  }

  static async listen(t: { after(teardown: () => void): void }): Promise<LosingProxy> {
    const proxy = new LosingProxy();
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    t.after(() => proxy.#close());
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  forwardTo(brokerPort: number): void {
    this.#brokerPort = brokerPort;
  }

  /** Connections that are open, to clients and to the broker. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** How often it still does so. */
  get losses(): number {
    return this.#loss?.times ?? 0;
  }

  lose(what: Loss["what"], request: number, times: number): void {
    this.#loss = { what, request, times };
  }

  /** A link that was half-open is cut before it is whole again: what was swallowed is missing in the middle. */
  set link(link: Link) {
    if (link === "cut" || this.#link === "half-open") for (const socket of this.#sockets) socket.destroy();
    this.#link = link;
  }

  /** Milliseconds by which everything is late, each way. */
  set delayMs(delayMs: number) {
    this.#delayMs = delayMs;
  }

  #serve(client: Socket): void {
    if (this.#link === "cut") {
      client.destroy();
      return;
    }
    const broker = dial(this.#brokerPort, "127.0.0.1");
    const cut = (): void => {
      client.destroy();
      broker.destroy();
    };
    let isAnswerLost = false;
    const frames = new RequestFrames((request) => {
      const loss = this.#loss;
      if (loss?.request !== request || loss.times === 0) return true;
      loss.times--;
      if (loss.what === "request") return false;
      isAnswerLost = true;
      return true;
    });
    const toBroker = new Lane(broker, () => this.#delayMs);
    const toClient = new Lane(client, () => this.#delayMs);
    client.on("data", (chunk: Buffer) => {
      if (this.#link === "half-open") return;
      const passed = frames.pass(chunk);
      toBroker.write(passed === chunk.length ? chunk : chunk.subarray(0, passed));
      if (passed < chunk.length) cut();
    });
    broker.on("data", (chunk: Buffer) => {
      if (this.#link === "half-open") return;
      if (isAnswerLost) cut();
      else toClient.write(chunk);
    });
    for (const socket of [client, broker]) {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on("error", cut);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
  }

  #close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Finds where requests begin in what a client sends, however it is cut, and holds none of it. */
class RequestFrames {
  readonly #mayPass: (request: number) => boolean;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  #bodyBytes = 0;

  constructor(mayPass: (request: number) => boolean) {
    this.#mayPass = mayPass;
  }

  /** @returns how many bytes may go on: all, or those before the rest of a request that is to be lost */
  pass(chunk: Buffer): number {
    for (let at = 0; at < chunk.length; ) {
      if (this.#bodyBytes > 0) {
        const bytes = Math.min(this.#bodyBytes, chunk.length - at);
        this.#bodyBytes -= bytes;
        at += bytes;
        continue;
      }
      const bytes = Math.min(HEAD_BYTES - this.#headBytes, chunk.length - at);
      chunk.copy(this.#head, this.#headBytes, at, at + bytes);
      this.#headBytes += bytes;
      if (this.#headBytes < HEAD_BYTES) return chunk.length;
      if (!this.#mayPass(this.#head.readInt16BE(LENGTH_BYTES))) return at;
      at += bytes;
      this.#headBytes = 0;
      this.#bodyBytes = this.#head.readInt32BE(0) - (HEAD_BYTES - LENGTH_BYTES);
    }
    return chunk.length;
  }
}

/** One way of a connection: what is late stays in order. */
class Lane {
  readonly #socket: Socket;
  readonly #delayMs: () => number;
  readonly #waiting: { readonly dueMs: number; readonly chunk: Buffer }[] = [];

  constructor(socket: Socket, delayMs: () => number) {
    this.#socket = socket;
    this.#delayMs = delayMs;
  }

  write(chunk: Buffer): void {
    const delayMs = this.#delayMs();
    if (delayMs === 0 && this.#waiting.length === 0) {
      this.#socket.write(chunk);
      return;
    }
    this.#waiting.push({ dueMs: performance.now() + delayMs, chunk });
    if (this.#waiting.length === 1) this.#arm();
  }

  #arm(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    setTimeout(
      () => {
        this.#waiting.shift();
        if (!this.#socket.destroyed) this.#socket.write(first.chunk);
        this.#arm();
      },
      Math.max(0, first.dueMs - performance.now()),
    ).unref();
  }
}
