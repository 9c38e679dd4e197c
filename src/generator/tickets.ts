import type { Random } from "../model/random.ts";
import { HOUR_SECONDS } from "./calendar.ts";
import type { EventWriter } from "./event-block.ts";
import type { Links } from "./links.ts";
import { TGS_PER_LOGIN, TGT_PER_LOGIN } from "./published.ts";
import { TGS, TGS_FAIL, TGT } from "./row-kinds.ts";

export const TICKET_SECONDS = 10 * HOUR_SECONDS;
/** Of all ticket requests so many never reach the log, and so many seats have none there for the life of a ticket. */
const LOST_REQUESTS = 0.01;
const LOST_SEATS = 0.01;
const FAILED_REQUESTS = 0.003;
/** Renewals, which name no host, among the requests beyond those that a first login needs. */
const RENEWALS = 0.4;

/** Logins and requests of one kind of account so far, to keep the published ratio between them. */
class Ratio {
  logins = 0;
  serviceTickets = 0;
  grantingTickets = 0;
}

/**
 * Kerberos as the logs show it: before an account logs on from a source, that source asks for a ticket-granting ticket, and for
 * one ticket for each service; both hold ten hours. Beyond these, as many requests as were published.
 */
export class Tickets {
  readonly #links: Links;
  readonly #writer: EventWriter;
  readonly #random: Random;
  readonly #ticketTarget: number;
  /** By seat: when its ticket-granting ticket expires, and whether its requests are lost until then. */
  #grantedUntil = new Int32Array(1024);
  #isLost = new Uint8Array(1024);
  readonly #machine = new Ratio();
  readonly #human = new Ratio();

  constructor(links: Links, writer: EventWriter, random: Random, ticketTarget: number) {
    this.#links = links;
    this.#writer = writer;
    this.#random = random;
    this.#ticketTarget = ticketTarget;
  }

  /** Someone sits down: the next login from there asks for everything anew. */
  forget(link: number): void {
    this.#reserve();
    this.#grantedUntil[this.#links.seat[link]] = 0;
    this.#links.ticketUntil[link] = 0;
  }

  /** What is asked for before a login by this link. */
  before(link: number, second: number, isMachine: boolean): void {
    const links = this.#links;
    const random = this.#random;
    const ratio = isMachine ? this.#machine : this.#human;
    const seat = links.seat[link];
    if (seat >= this.#grantedUntil.length) this.#reserve();
    const published = isMachine ? TGT_PER_LOGIN.machine : TGT_PER_LOGIN.human;
    ratio.logins++;
    const account = links.account[link];
    const source = links.source[link];
    const isExpired = second >= this.#grantedUntil[seat];
    if (isExpired) {
      this.#grantedUntil[seat] = second + TICKET_SECONDS;
      this.#isLost[seat] = random.nextFloat() < LOST_SEATS ? 1 : 0;
    }
    const isLost = this.#isLost[seat] === 1;
    if ((isExpired || ratio.grantingTickets < published * ratio.logins) && !this.#loses(isLost)) {
      ratio.grantingTickets++;
      this.#writer.append(second, account, account, source, source, TGT);
    }
    const isNew = second >= links.ticketUntil[link];
    const services = isMachine ? TGS_PER_LOGIN.machine : TGS_PER_LOGIN.human;
    if ((isNew || ratio.serviceTickets < services * ratio.logins) && !this.#loses(isLost)) {
      ratio.serviceTickets++;
      const target = !isNew && random.nextFloat() < RENEWALS ? this.#ticketTarget : links.target[link];
      const kind = !isNew && random.nextFloat() < FAILED_REQUESTS * 1.5 ? TGS_FAIL : TGS;
      this.#writer.append(second, account, account, source, target, kind);
    }
    if (isNew) links.ticketUntil[link] = second + TICKET_SECONDS;
  }

  #loses(isLost: boolean): boolean {
    return isLost || this.#random.nextFloat() < LOST_REQUESTS;
  }

  #reserve(): void {
    const { seats } = this.#links;
    if (seats <= this.#grantedUntil.length) return;
    const grantedUntil = new Int32Array(2 * seats);
    grantedUntil.set(this.#grantedUntil);
    this.#grantedUntil = grantedUntil;
    const isLost = new Uint8Array(2 * seats);
    isLost.set(this.#isLost);
    this.#isLost = isLost;
  }
}
