import { Buffer } from "node:buffer";
import { NAME_BYTES_MAX } from "../../src/ingest/login.ts";
import { Random } from "../../src/model/random.ts";

/** 2026-01-05, ms: far enough from both ends of what a clock may say. */
const START_MS = Date.UTC(2026, 0, 5);
const GARBAGE_SHARE = 0.05;
const REPEATED_SHARE = 0.03;
const EVIDENCE_SHARE = 0.03;
/** Logins of a user from a host that is not his, by a protocol that proves little. */
const ODD_SHARE = 0.005;
/** Logins that carry an event id of their own. */
const UID_SHARE = 0.25;
/** Logins that come late, by up to five minutes, and those that come very late. */
const DISORDERED_SHARE = 0.2;
const DISORDER_MS = 300_000;
const LATE_SHARE = 0.01;
const LATE_MS = 6 * 3_600_000;
/** Users who log in in another partition too. */
const ABROAD_SHARE = 0.1;
/** What may be sent again lies among so many records before. */
const REPEATED_AMONG = 500;

/** A name that no other user has. */
export const POISON_USER = "poison";

export type GeneratedRecord = { readonly key: string | null; readonly value: Buffer };

export type GeneratorOptions = {
  readonly seed: number;
  readonly partition: number;
  readonly partitions: number;
  /** Of all partitions. */
  readonly users: number;
  /** Event time between two logins of a partition, ms. */
  readonly stepMs: number;
};

/**
 * The input of one partition, without end: the same seed gives the same bytes. Mostly logins of users at their hosts; and
 * what a careless source sends: records again, out of order, late, and some that are no logins at all.
 */
export class LoginGenerator {
  readonly #options: GeneratorOptions;
  readonly #random: Random;
  readonly #recent: GeneratedRecord[] = [];
  #count = 0;
  /** Users who were never seen before come so often yet. */
  #strangers = 0;
  #strangersSoFar = 0;
  #poisons = 0;

  constructor(options: GeneratorOptions) {
    this.#options = options;
    this.#random = new Random(options.seed, `logins of partition ${options.partition}`);
  }

  /** The next `count` logins are those of as many new users. */
  addStrangers(count: number): void {
    this.#strangers += count;
  }

  /** The next login is one of `POISON_USER`. */
  addPoison(): void {
    this.#poisons++;
  }

  next(): GeneratedRecord {
    const random = this.#random;
    this.#count++;
    const draw = random.nextFloat();
    if (draw < GARBAGE_SHARE) return this.#garbage();
    if (draw < GARBAGE_SHARE + REPEATED_SHARE && this.#recent.length > 0)
      return this.#recent[random.nextInt(this.#recent.length)]!;
    const record = this.#login();
    if (this.#recent.length < REPEATED_AMONG) this.#recent.push(record);
    else this.#recent[this.#count % REPEATED_AMONG] = record;
    return record;
  }

  #login(): GeneratedRecord {
    const { partition, partitions, users } = this.#options;
    const random = this.#random;
    const isStranger = this.#strangers > 0;
    const home = random.nextFloat() < ABROAD_SHARE ? random.nextInt(partitions) : partition;
    const usual = random.nextInt(Math.ceil(users / partitions)) * partitions + home;
    if (isStranger) this.#strangers--;
    let user = isStranger ? `S${partition}-${this.#strangersSoFar++}` : `U${usual}`;
    const isOdd = random.nextFloat() < ODD_SHARE;
    const sourceHost = isOdd ? `C${random.nextInt(users)}` : `C${usual + (random.nextInt(8) === 0 ? 1 : 0)}`;
    const targetHost = `S${(usual * 7 + random.nextInt(3)) % Math.ceil(users / 20)}`;
    const isEvidence = random.nextFloat() < EVIDENCE_SHARE;
    if (this.#poisons > 0 && !isEvidence) {
      this.#poisons--;
      user = POISON_USER;
    }
    const authType = isOdd || random.nextInt(10) === 0 ? "NTLM" : "Kerberos";
    const uid = random.nextFloat() < UID_SHARE ? `,"uid":"${partition}-${this.#count}"` : "";
    const outcome = random.nextInt(20) === 0 ? "failure" : "success";
    const value = isEvidence
      ? `{"activity":"evidence","timeMs":${this.#timeMs()},"user":"${user}","sourceHost":"${sourceHost}"}`
      : `{"timeMs":${this.#timeMs()},"user":"${user}","sourceHost":"${sourceHost}","targetHost":"${targetHost}",` +
        `"authType":"${authType}","logonType":"Network","outcome":"${outcome}"${uid}}`;
    return { key: user, value: Buffer.from(value) };
  }

  #timeMs(): number {
    const random = this.#random;
    const draw = random.nextFloat();
    const lateMs =
      draw < LATE_SHARE
        ? random.nextInt(LATE_MS)
        : draw < LATE_SHARE + DISORDERED_SHARE
          ? random.nextInt(DISORDER_MS)
          : 0;
    return START_MS + Math.floor(this.#count * this.#options.stepMs) - lateMs;
  }

  #garbage(): GeneratedRecord {
    const random = this.#random;
    let draw = random.nextFloat() * GARBAGE_WEIGHT;
    const kind = GARBAGE.find(([weight]) => {
      draw -= weight;
      return draw < 0;
    });
    const value = (kind ?? GARBAGE[0]!)[1](random, this.#timeMs());
    return { key: random.nextInt(2) === 0 ? null : "garbage", value: Buffer.from(value) };
  }
}

type MakeGarbage = (random: Random, timeMs: number) => string | Uint8Array;

const login = (more: string): string => `{"user":"G1","sourceHost":"C1","targetHost":"S1",${more}}`;

/** What can't be a login, or must not be taken for one, with how often it comes. */
const GARBAGE: readonly (readonly [number, MakeGarbage])[] = [
  [10, (random) => Uint8Array.from({ length: 1 + random.nextInt(200) }, () => random.nextInt(256))],
  [10, (random, timeMs) => login(`"timeMs":${timeMs}`).slice(0, 1 + random.nextInt(40))],
  [10, () => Uint8Array.of(0x7b, 0x22, 0xc3, 0x28, 0xff, 0xfe, 0x22, 0x7d)],
  [10, () => login('"timeMs":"noon"')],
  [10, () => login('"timeMs":NaN')],
  [5, () => login('"timeMs":-1')],
  [5, () => login('"timeMs":1e300')],
  [5, () => login(`"timeMs":${Date.UTC(2199, 0, 1)}`)],
  [5, (_, timeMs) => `{"__proto__":{"user":"G1"},"constructor":1,"timeMs":${timeMs}}`],
  [5, (_, timeMs) => `{"timeMs":${timeMs},"user":["G1"],"targetHost":{"a":1}}`],
  [5, (_, timeMs) => `{"timeMs":${timeMs},"user":"${"x".repeat(NAME_BYTES_MAX + 1)}","targetHost":"S1"}`],
  [5, (_, timeMs) => `{"timeMs":${timeMs},"user":"","targetHost":"S1"}`],
  [
    5,
    (_, timeMs) => `{"timeMs":${timeMs},"user":"G\\ud800","sourceHost":"C\\udfff","targetHost":"S\\u0000"}`,
  ],
  [5, () => "null"],
  [5, () => "[]"],
  [5, () => ""],
  [2, () => "[".repeat(10_000)],
  [0.02, () => "[".repeat(1_000_000)],
  [0.02, () => login(`"more":"${"x".repeat(5_000_000)}"`)],
];
const GARBAGE_WEIGHT = GARBAGE.reduce((sum, [weight]) => sum + weight, 0);
