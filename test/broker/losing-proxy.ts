import { Buffer } from "node:buffer";
import { createServer, connect as dial, type Server, type Socket } from "node:net";

/** Numbers of requests in Kafka's protocol. */
export const PRODUCE = 0;
export const ADD_PARTITIONS_TO_TXN = 24;
export const END_TXN = 26;

type Loss = { readonly request: number; readonly what: "request" | "answer"; times: number };

/**
 * A TCP proxy in front of a broker that loses requests of one kind, or the answers to them: the connection is cut, before
 * the broker has seen the request or after it has answered.
 */
export class LosingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #brokerPort = 0;
  #loss: Loss | undefined;

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

  /** How often it still does so. */
  get losses(): number {
    return this.#loss?.times ?? 0;
  }

  lose(what: Loss["what"], request: number, times: number): void {
    this.#loss = { what, request, times };
  }

  #serve(client: Socket): void {
    const broker = dial(this.#brokerPort, "127.0.0.1");
    const cut = (): void => {
      client.destroy();
      broker.destroy();
    };
    let isAnswerLost = false;
    let pending: Buffer = Buffer.alloc(0);
    client.on("data", (chunk: Buffer) => {
      // Each request is length:i32, number:i16, and the rest.
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 6 && pending.length >= 4 + pending.readInt32BE(0)) {
        const frame = pending.subarray(0, 4 + pending.readInt32BE(0));
        pending = pending.subarray(frame.length);
        const loss = this.#loss;
        if (loss?.request === frame.readInt16BE(4) && loss.times > 0) {
          loss.times--;
          if (loss.what === "request") return cut();
          isAnswerLost = true;
        }
        broker.write(frame);
      }
    });
    broker.on("data", (chunk: Buffer) => {
      if (isAnswerLost) cut();
      else client.write(chunk);
    });
    for (const socket of [client, broker]) {
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
