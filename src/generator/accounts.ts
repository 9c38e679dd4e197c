import { SPARE_HOSTS, SPARE_USERS } from "./organisation.ts";
import type { StreamSize } from "./stream-size.ts";

/** Local accounts, and accounts that no domain knows, for each domain account. */
const LOCAL_SHARE = 0.2;
const UNKNOWN_SHARE = 0.04;

/** Numbers of all accounts of a network: domain users, then those that each host has, then the few kinds of others. */
export class Accounts {
  readonly users: number;
  readonly hosts: number;
  readonly locals: number;
  readonly unknowns: number;

  constructor(size: StreamSize) {
    this.users = size.users + SPARE_USERS;
    this.hosts = size.hosts + SPARE_HOSTS;
    this.locals = Math.ceil(size.users * LOCAL_SHARE);
    this.unknowns = Math.ceil(size.users * UNKNOWN_SHARE);
  }

  get count(): number {
    return this.users + 5 * this.hosts + this.locals + this.unknowns;
  }

  machine(host: number): number {
    return this.users + host;
  }

  anonymous(host: number): number {
    return this.users + this.hosts + host;
  }

  networkService(host: number): number {
    return this.users + 2 * this.hosts + host;
  }

  localService(host: number): number {
    return this.users + 3 * this.hosts + host;
  }

  system(host: number): number {
    return this.users + 4 * this.hosts + host;
  }

  /** An account of one host only. */
  local(i: number): number {
    return this.users + 5 * this.hosts + i;
  }

  /** The host whose account that is. */
  hostOfLocal(i: number): number {
    return i % this.hosts;
  }

  /** A name that no domain knows, as of a mistyped user. */
  unknown(i: number): number {
    return this.users + 5 * this.hosts + this.locals + i;
  }
}
