/** A record for a partition of the input. */
export type Message = { readonly partition: number; readonly value: string };

/** A number in [0, below) that is the same every time for the same login and purpose. */
function pick(login: number, purpose: number, below: number): number {
  let hash = Math.imul(login + 1, 0x9e3779b1) ^ Math.imul(purpose, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return Math.floor((((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32) * below);
}

/** One row of LANL's `auth.txt`: a remote login. */
export function row(second: number, user: string, source: string, target: string, auth: string): string {
  return `${second},${user},${user},${source},${target},${auth},Network,LogOn,Success`;
}

/** Logins of a network of so many users and hosts. Each login makes three links that hardly any other makes. */
export class MadeLogins {
  readonly #entities: number;
  readonly #partitions: number;

  constructor(entities: number, partitions: number) {
    this.#entities = entities;
    this.#partitions = partitions;
  }

  /** A login by strong evidence; the same links for the same number. */
  usual(login: number, second: number): Message {
    const [source, target] = [pick(login, 2, this.#entities), pick(login, 3, this.#entities)];
    return this.#message(login, second, `C${source}`, `C${target}`, "Kerberos");
  }

  /** The same user, weakly, from a host on which it was never seen. */
  odd(login: number, second: number, host: number): Message {
    return this.#message(login, second, `X${host}`, `C${pick(login, 3, this.#entities)}`, "NTLM");
  }

  #message(login: number, second: number, source: string, target: string, auth: string): Message {
    const user = pick(login, 1, this.#entities);
    const value = row(second, `U${user}@DOM1`, source, target, auth);
    return { partition: user % this.#partitions, value };
  }
}
