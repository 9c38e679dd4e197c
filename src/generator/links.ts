/** What kind of login a link stands for; each group has its share of the published mix. */
export const PERSON_KERBEROS = 0;
export const PERSON_NTLM = 1;
/** A person's or service's Kerberos login from a host to itself. */
export const PERSON_LOCAL = 2;
export const MACHINE_KERBEROS = 3;
export const MACHINE_NTLM = 4;
export const MACHINE_LOCAL = 5;
export const ANONYMOUS_NTLM = 6;
export const REMOTE_DESKTOP = 7;
export const GROUP_COUNT = 8;

export const FOREVER = 0x7fffffff;

export type NewLink = {
  readonly account: number;
  readonly source: number;
  readonly target: number;
  readonly group: number;
  /** How often it is used while its person is at work, and at any hour; only ratios within a group count. */
  readonly atWork: number;
  readonly steady: number;
  /** First second of its life, default the beginning, and first second after it, default never. */
  readonly bornAt?: number;
  readonly diesAt?: number;
  /** The source logs on in the account's name without asking for its tickets. */
  readonly isDelegated?: boolean;
};

const FIRST_CAPACITY = 1024;

/**
 * All habits of all accounts as columns of numbers, 42 bytes a link: at LANL's size about a million links over the weeks.
 *
 * A seat is an account on a source: what has its ticket-granting ticket.
 */
export class Links {
  count = 0;
  seats = 0;
  account = new Int32Array(FIRST_CAPACITY);
  source = new Int32Array(FIRST_CAPACITY);
  target = new Int32Array(FIRST_CAPACITY);
  seat = new Int32Array(FIRST_CAPACITY);
  group = new Uint8Array(FIRST_CAPACITY);
  isDelegated = new Uint8Array(FIRST_CAPACITY);
  atWork = new Float32Array(FIRST_CAPACITY);
  steady = new Float32Array(FIRST_CAPACITY);
  bornAt = new Int32Array(FIRST_CAPACITY);
  diesAt = new Int32Array(FIRST_CAPACITY);
  /** Second at which the service ticket expires. */
  ticketUntil = new Int32Array(FIRST_CAPACITY);
  readonly #hosts: number;
  readonly #seatOf = new Map<number, number>();

  constructor(hosts: number) {
    this.#hosts = hosts;
  }

  add(link: NewLink): number {
    if (this.count === this.account.length) this.#grow();
    const i = this.count++;
    this.account[i] = link.account;
    this.source[i] = link.source;
    this.target[i] = link.target;
    this.seat[i] = this.#seat(link.account, link.source);
    this.group[i] = link.group;
    this.isDelegated[i] = link.isDelegated ? 1 : 0;
    this.atWork[i] = link.atWork;
    this.steady[i] = link.steady;
    this.bornAt[i] = link.bornAt ?? 0;
    this.diesAt[i] = link.diesAt ?? FOREVER;
    this.ticketUntil[i] = 0;
    return i;
  }

  #seat(account: number, source: number): number {
    const key = account * this.#hosts + source;
    let seat = this.#seatOf.get(key);
    if (seat === undefined) this.#seatOf.set(key, (seat = this.seats++));
    return seat;
  }

  #grow(): void {
    const capacity = 2 * this.account.length;
    const ints = (narrow: Int32Array): Int32Array<ArrayBuffer> => {
      const wide = new Int32Array(capacity);
      wide.set(narrow);
      return wide;
    };
    const bytes = (narrow: Uint8Array): Uint8Array<ArrayBuffer> => {
      const wide = new Uint8Array(capacity);
      wide.set(narrow);
      return wide;
    };
    const floats = (narrow: Float32Array): Float32Array<ArrayBuffer> => {
      const wide = new Float32Array(capacity);
      wide.set(narrow);
      return wide;
    };
    this.account = ints(this.account);
    this.source = ints(this.source);
    this.target = ints(this.target);
    this.seat = ints(this.seat);
    this.group = bytes(this.group);
    this.isDelegated = bytes(this.isDelegated);
    this.atWork = floats(this.atWork);
    this.steady = floats(this.steady);
    this.bornAt = ints(this.bornAt);
    this.diesAt = ints(this.diesAt);
    this.ticketUntil = ints(this.ticketUntil);
  }
}
