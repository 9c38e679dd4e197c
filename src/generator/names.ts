import { Buffer } from "node:buffer";
import type { Random } from "../model/random.ts";
import type { Accounts } from "./accounts.ts";
import { shuffled } from "./distributions.ts";

/** Numbers are drawn from so many times as many, so that a number says nothing about what has it. */
const SPREAD = 1.45;

/**
 * The name of every account and host as bytes with a comma after it, all in one array.
 *
 * Names carry no meaning: a number drawn by the seed, the same for a host and its machine account.
 */
export class Names {
  readonly bytes: Uint8Array;
  /** Name i lies in `starts[i] .. starts[i + 1] - 1`: accounts first, then hosts, then the pseudo host of ticket requests. */
  readonly starts: Int32Array;
  readonly firstHost: number;
  /** The target that a request for a ticket-granting ticket's renewal names. */
  readonly ticketTarget: number;

  constructor(accounts: Accounts, random: Random) {
    const hostNumbers = numbers(accounts.hosts, random);
    const userNumbers = numbers(accounts.users + accounts.locals + accounts.unknowns, random);
    const host = (i: number) => `C${hostNumbers[i]}`;
    const texts = new Array<string>(accounts.count);
    for (let i = 0; i < accounts.users; i++) texts[i] = `U${userNumbers[i]}@DOM1`;
    for (let i = 0; i < accounts.hosts; i++) {
      texts[accounts.machine(i)] = `${host(i)}$@DOM1`;
      texts[accounts.anonymous(i)] = `ANONYMOUS LOGON@${host(i)}`;
      texts[accounts.networkService(i)] = `NETWORK SERVICE@${host(i)}`;
      texts[accounts.localService(i)] = `LOCAL SERVICE@${host(i)}`;
      texts[accounts.system(i)] = `SYSTEM@${host(i)}`;
    }
    for (let i = 0; i < accounts.locals; i++)
      texts[accounts.local(i)] = `U${userNumbers[accounts.users + i]}@${host(accounts.hostOfLocal(i))}`;
    for (let i = 0; i < accounts.unknowns; i++)
      texts[accounts.unknown(i)] = `U${userNumbers[accounts.users + accounts.locals + i]}@?`;
    this.firstHost = texts.length;
    for (let i = 0; i < accounts.hosts; i++) texts.push(host(i));
    this.ticketTarget = accounts.hosts;
    texts.push("TGT");

    this.starts = new Int32Array(texts.length + 1);
    for (let i = 0; i < texts.length; i++) this.starts[i + 1] = this.starts[i] + texts[i].length + 1;
    const bytes = Buffer.alloc(this.starts[texts.length]);
    for (let i = 0; i < texts.length; i++) bytes.write(`${texts[i]},`, this.starts[i], "latin1");
    this.bytes = bytes;
  }

  account(i: number): string {
    return this.#text(i);
  }

  host(i: number): string {
    return this.#text(this.firstHost + i);
  }

  #text(i: number): string {
    return Buffer.from(
      this.bytes.buffer,
      this.bytes.byteOffset + this.starts[i],
      this.starts[i + 1] - this.starts[i] - 1,
    ).toString("latin1");
  }
}

function numbers(count: number, random: Random): number[] {
  const all = Array.from({ length: Math.ceil(count * SPREAD) }, (_, i) => i + 1);
  return shuffled(all, random).slice(0, count);
}
