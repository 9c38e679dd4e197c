const MS_PER_HOUR = 3_600_000;
/** The hour of the login, and the 24 before it. */
const HOURS = 25;
const NODES_AT_FIRST = 64;

/**
 * How many links of a node were first seen in each of the last 25 clock hours: the count behind "new links within the
 * hour" without walking the node's links. Derived from the links' first-seen times alone, so that it comes out the same
 * in whatever order the links arrived.
 *
 *   latestHour:i32   counts:u32[25], slot hour % 25      104 B a node, one cache line to read most of it
 */
export class NewLinkCounters {
  #latestHour = new Int32Array(NODES_AT_FIRST).fill(-1);
  #counts = new Uint32Array(NODES_AT_FIRST * HOURS);

  reserve(count: number): void {
    const old = this.#latestHour.length;
    if (count <= old) return;
    const capacity = Math.max(count, old * 2);
    const latestHour = new Int32Array(capacity).fill(-1, old);
    latestHour.set(this.#latestHour);
    const counts = new Uint32Array(capacity * HOURS);
    counts.set(this.#counts);
    this.#latestHour = latestHour;
    this.#counts = counts;
  }

  clear(node: number): void {
    this.#latestHour[node] = -1;
  }

  add(node: number, firstMs: number): void {
    const hour = Math.floor(firstMs / MS_PER_HOUR);
    const base = node * HOURS;
    const latest = this.#latestHour[node]!;
    if (latest < 0 || hour - latest >= HOURS) {
      this.#counts.fill(0, base, base + HOURS);
      this.#latestHour[node] = hour;
    } else if (hour > latest) {
      for (let h = latest + 1; h <= hour; h++) this.#counts[base + (h % HOURS)] = 0;
      this.#latestHour[node] = hour;
    } else if (latest - hour >= HOURS) {
      return;
    }
    this.#counts[base + (hour % HOURS)]!++;
  }

  remove(node: number, firstMs: number): void {
    const hour = Math.floor(firstMs / MS_PER_HOUR);
    const latest = this.#latestHour[node]!;
    if (latest < 0 || hour > latest || latest - hour >= HOURS) return;
    this.#counts[node * HOURS + (hour % HOURS)]!--;
  }

  /**
   * Links first seen within `hours` before `timeMs`. The oldest clock hour counts by the part of it that lies inside,
   * as sliding-window rate limiters do.
   */
  within(node: number, hours: number, timeMs: number): number {
    if (node < 0 || node >= this.#latestHour.length) return 0;
    const latest = this.#latestHour[node]!;
    if (latest < 0) return 0;
    const now = Math.floor(timeMs / MS_PER_HOUR);
    const base = node * HOURS;
    let sum = 0;
    for (let h = Math.max(now - hours + 1, latest - HOURS + 1); h <= now && h <= latest; h++) {
      sum += this.#counts[base + (h % HOURS)]!;
    }
    const oldest = now - hours;
    if (oldest >= 0 && oldest <= latest && latest - oldest < HOURS) {
      const inside = 1 - (timeMs / MS_PER_HOUR - now);
      sum += inside * this.#counts[base + (oldest % HOURS)]!;
    }
    return sum;
  }
}
