import { connect, type Socket } from "node:net";
import { hostname } from "node:os";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { toCef } from "../alerts/cef.ts";
import type { DetectionFinding } from "../alerts/detection-finding.ts";
import { type Delivery, formed, type Sink } from "./sink.ts";

/** What a message holds. */
export const SYSLOG_FORMATS = ["cef", "json"] as const;

export type SyslogOptions = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Certificate authorities and the like; undefined for plain TCP. */
  readonly tls: ConnectionOptions | undefined;
  readonly format: (typeof SYSLOG_FORMATS)[number];
  /** 0 to 23, see RFC 5424. */
  readonly facility: number;
  readonly timeoutMs: number;
};

const NOTICE = 5;
/** Syslog's severities by OCSF's: the worse, the smaller. */
const SEVERITIES: ReadonlyMap<number, number> = new Map([
  [2, NOTICE],
  [3, 4],
  [4, 3],
  [5, 2],
  [6, 1],
]);
const APP_NAME = "oddlink";
const MESSAGE_ID = "alert";

/**
 * Sends each alert as a message of RFC 5424 over TCP or TLS, with its length before it (RFC 6587, RFC 5425), so that no line break in a name can begin
 * another one.
 *
 * Syslog has no answers: delivered is what the operating system took. What was on its way when a connection broke may be lost, or come twice.
 */
export class Syslog implements Sink {
  readonly name: string;
  readonly #options: SyslogOptions;
  #socket: Socket | undefined;

  constructor(options: SyslogOptions) {
    this.name = `syslog ${options.name}`;
    this.#options = options;
  }

  async send(delivery: Delivery, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const message = Buffer.from(formed(() => this.#messageOf(delivery)));
    const socket = this.#socket ?? (await this.#connect(signal));
    this.#socket = socket;
    const frame = Buffer.concat([Buffer.from(`${message.length} `), message]);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(this.#broken("timeout")), this.#options.timeoutMs);
    const onClose = (): void => reject(this.#broken("closed"));
    socket.once("close", onClose);
    socket.write(frame, (error) => (error ? reject(this.#broken(codeOf(error))) : resolve()));
    try {
      await promise;
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
      socket.off("close", onClose);
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect(signal: AbortSignal): Promise<Socket> {
    const { host, port, tls, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const socket = tls === undefined ? connect({ host, port }) : connectTls({ ...tls, host, port });
      const fail = (why: string): void => {
        socket.destroy();
        signal.removeEventListener("abort", stop);
        reject(this.#broken(why));
      };
      const stop = (): void => fail("stopped");
      signal.addEventListener("abort", stop, { once: true });
      socket.setTimeout(timeoutMs, () => fail("timeout"));
      socket.once("error", (error) => fail(codeOf(error)));
      socket.once(tls === undefined ? "connect" : "secureConnect", () => {
        signal.removeEventListener("abort", stop);
        socket.setTimeout(0);
        socket.setKeepAlive(true);
        // An idle connection keeps no process from ending, and one that ends is made anew for the next alert.
        socket.unref();
        socket.on("error", () => {});
        socket.on("end", () => socket.destroy());
        socket.on("close", () => {
          if (this.#socket === socket) this.#socket = undefined;
        });
        // What a collector says is read, so that its end is noticed.
        socket.resume();
        resolve(socket);
      });
    });
  }

  #broken(why: string): Error {
    return new Error(`${this.#options.host}:${this.#options.port} can't be reached (${why})`);
  }

  #messageOf({ timeMs, body }: Delivery): string {
    const { facility, format } = this.#options;
    const alert = JSON.parse(body) as Partial<DetectionFinding>;
    const severity = SEVERITIES.get(alert.severity_id ?? 0) ?? NOTICE;
    const header = [
      `<${facility * 8 + severity}>1`,
      new Date(timeMs).toISOString(),
      hostname(),
      APP_NAME,
      process.pid,
      MESSAGE_ID,
      "-",
    ];
    // Without the byte order mark that the RFC allows: collectors pass it on, and parsers of CEF and JSON trip over it.
    return `${header.join(" ")} ${format === "cef" ? toCef(alert as DetectionFinding) : body}`;
  }
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : error.name;
}
