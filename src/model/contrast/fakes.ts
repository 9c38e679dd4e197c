import type { Buffer } from "node:buffer";
import type { Sample } from "../../graph-state/hourly-samples.ts";
import { LoginBytes, SOURCE_HOST, TARGET_HOST, USER } from "../../ingest/login-bytes.ts";
import { Random } from "../random.ts";

/** A fake must differ from its login, and lead from one host to another: so often another one is drawn. */
const DRAWS_MAX = 8;
const SEED = 1;

/** Which column of a login each of its fakes has swapped. */
export const SWAPPED: readonly number[] = [TARGET_HOST, SOURCE_HOST, USER];

type Pool = { readonly asOften: readonly Buffer[]; readonly once: readonly Buffer[] };

/**
 * Makes logins that never happened of one that did: its target, its source or its user is another one, half of the time as often
 * seen in that place as it is, half of the time any that is known. Names come from the sampled logins of closed hours, so
 * every process makes the same fakes.
 */
export class FakeLogins {
  readonly #pools: ReadonlyMap<number, Pool>;
  readonly #fake = new LoginBytes();

  constructor(samples: readonly Sample[]) {
    const hosts = distinct(samples.flatMap(({ sourceHost, targetHost }) => [sourceHost, targetHost]));
    const users = samples.map(({ user }) => user);
    this.#pools = new Map([
      [TARGET_HOST, { asOften: samples.map(({ targetHost }) => targetHost), once: hosts }],
      [SOURCE_HOST, { asOften: samples.map(({ sourceHost }) => sourceHost), once: hosts }],
      [USER, { asOften: users, once: distinct(users) }],
    ]);
  }

  /**
   * @param key of the login's sample: the same fakes for the same key
   * @returns one fake for each of `SWAPPED`, or undefined where none was found; each valid until the next is asked for
   */
  *of(login: LoginBytes, key: number): Generator<LoginBytes | undefined> {
    const random = new Random(SEED, String(key));
    for (const column of SWAPPED) {
      const { asOften, once } = this.#pools.get(column)!;
      const pool = random.nextFloat() < 0.5 ? asOften : once;
      yield pool.length === 0 ? undefined : this.#swapped(login, column, pool, random);
    }
  }

  #swapped(
    login: LoginBytes,
    column: number,
    pool: readonly Buffer[],
    random: Random,
  ): LoginBytes | undefined {
    const fake = this.#fake;
    fake.timeMs = login.timeMs;
    fake.outcome = login.outcome;
    fake.evidence = login.evidence;
    for (let i = 0; i < login.buffers.length; i++) {
      fake.set(i, login.buffers[i]!, login.starts[i]!, login.ends[i]!);
    }
    const own = login.buffers[column]!.subarray(login.starts[column], login.ends[column]);
    for (let draw = 0; draw < DRAWS_MAX; draw++) {
      const name = pool[random.nextInt(pool.length)]!;
      if (name.equals(own)) continue;
      fake.set(column, name, 0, name.length);
      if (fake.isRemote()) return fake;
    }
    return undefined;
  }
}

/** Each name once, in the order in which they come: names by another order would decide which fakes are made. */
function distinct(names: readonly Buffer[]): Buffer[] {
  return [...new Map(names.map((name) => [name.toString("latin1"), name])).values()];
}
