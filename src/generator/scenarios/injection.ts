import type { Random } from "../../model/random.ts";
import { KERBEROS, LOG_OFF, NTLM, TGS, TGT } from "../row-kinds.ts";

/** A row that a scenario brings in: accounts and hosts by number. */
export type InjectedRow = {
  readonly second: number;
  readonly user: number;
  readonly targetUser: number;
  readonly source: number;
  readonly target: number;
  readonly kind: number;
  /** A LogOn, which is labelled; what goes with it is not. */
  readonly isLogin: boolean;
};

/** Rows of one scenario. What would lie before the stream or after its end is left out. */
export class Injection {
  readonly rows: InjectedRow[] = [];
  readonly #end: number;
  readonly #random: Random;

  constructor(end: number, random: Random) {
    this.#end = end;
    this.#random = random;
  }

  get logins(): number {
    return this.rows.reduce((count, { isLogin }) => count + (isLogin ? 1 : 0), 0);
  }

  /** A LogOn, and the log-off of a network session that succeeded. */
  login(second: number, user: number, source: number, target: number, kind: number, targetUser = user): void {
    this.#add(second, user, source, target, kind, true, targetUser);
    if (kind !== KERBEROS && kind !== NTLM) return;
    this.#add(second + this.#random.nextInt(40), targetUser, target, target, LOG_OFF, false);
  }

  askTicketGrantingTicket(second: number, user: number, source: number): void {
    this.#add(second, user, source, source, TGT, false);
  }

  askServiceTicket(second: number, user: number, source: number, target: number): void {
    this.#add(second, user, source, target, TGS, false);
  }

  /** A Kerberos login as its owner makes it: with a ticket for the service. */
  loginWithTicket(second: number, user: number, source: number, target: number): void {
    this.askServiceTicket(second, user, source, target);
    this.login(second, user, source, target, KERBEROS);
  }

  #add(
    second: number,
    user: number,
    source: number,
    target: number,
    kind: number,
    isLogin: boolean,
    targetUser = user,
  ): void {
    const at = Math.floor(second);
    if (at >= 1 && at < this.#end)
      this.rows.push({ second: at, user, targetUser, source, target, kind, isLogin });
  }
}
