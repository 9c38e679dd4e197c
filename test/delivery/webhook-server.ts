import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Received = { readonly headers: IncomingHttpHeaders; readonly body: string };

export type WebhookServer = {
  readonly url: string;
  /** What was answered with 2xx or not, in the order in which it came. */
  readonly received: Received[];
};

/**
 * A server on the loopback interface, gone after the test.
 *
 * @param answer the status of the answer to the so manieth request, from 0 on; it may answer by itself and give none
 */
export async function webhookServer(
  t: { after(teardown: () => unknown): void },
  answer: (count: number, response: ServerResponse, received: Received) => number | undefined = () => 204,
  port = 0,
): Promise<WebhookServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const one = { headers: request.headers, body: Buffer.concat(chunks).toString() };
      received.push(one);
      const status = answer(received.length - 1, response, one);
      if (status !== undefined) response.writeHead(status).end("thank you");
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/s3cret`, received };
}
