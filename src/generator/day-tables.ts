import type { Random } from "../model/random.ts";
import type { Attendance } from "./calendar.ts";
import { AliasTable } from "./distributions.ts";
import { FOREVER, GROUP_COUNT, type Links, PERSON_KERBEROS } from "./links.ts";

const DRAWS_MAX = 8;

/** Draws links in proportion to their weights, and only those that are alive at the time. */
class LinkTable {
  readonly #links: Links;
  readonly #ids: Int32Array;
  readonly #table: AliasTable;

  constructor(links: Links, ids: Int32Array, weights: Float64Array) {
    this.#links = links;
    this.#ids = ids;
    this.#table = new AliasTable(weights);
  }

  /** @returns a link, or -1 if none was found in a few tries */
  draw(second: number, random: Random): number {
    if (this.#ids.length === 0) return -1;
    for (let i = 0; i < DRAWS_MAX; i++) {
      const link = this.#ids[this.#table.draw(random)];
      if (this.#links.bornAt[link] <= second && second < this.#links.diesAt[link]) return link;
    }
    return -1;
  }
}

/** What may be drawn on one day. Built anew each day from the links alive on it: some tens of milliseconds at LANL's size. */
export class DayTables {
  /** By group, at any hour. */
  readonly steady: readonly LinkTable[];
  /** Of people who are there on that day. */
  readonly atWork: LinkTable;
  /** Links from the workstation of each person, the links of person i in `starts[i] .. starts[i + 1] - 1`. */
  readonly #starts: Int32Array;
  readonly #byPerson: Int32Array;
  readonly #links: Links;
  readonly #attendance: Attendance;

  constructor(links: Links, live: Int32Array, attendance: Attendance, workstation: Int32Array) {
    this.#links = links;
    this.#attendance = attendance;
    this.steady = Array.from({ length: GROUP_COUNT }, (_, group) =>
      tableOf(links, live, (link) => (links.group[link] === group ? links.steady[link] : 0)),
    );
    const persons = workstation.length;
    this.atWork = tableOf(links, live, (link) => {
      const account = links.account[link];
      const isThere = account < persons && attendance.arrival[account] >= 0;
      return isThere && links.group[link] === PERSON_KERBEROS ? links.atWork[link] : 0;
    });
    const starts = new Int32Array(persons + 1);
    const isAtDesk = (link: number) => {
      const person = links.account[link];
      return (
        person < persons &&
        links.group[link] === PERSON_KERBEROS &&
        links.source[link] === workstation[person] &&
        links.atWork[link] > 0
      );
    };
    for (const link of live) if (isAtDesk(link)) starts[links.account[link] + 1]++;
    for (let person = 0; person < persons; person++) starts[person + 1] += starts[person];
    const next = starts.slice();
    this.#byPerson = new Int32Array(starts[persons]);
    for (const link of live) if (isAtDesk(link)) this.#byPerson[next[links.account[link]]++] = link;
    this.#starts = starts;
  }

  isAtWork(person: number, second: number): boolean {
    const { arrival, departure } = this.#attendance;
    return arrival[person] >= 0 && arrival[person] <= second && second < departure[person];
  }

  /** A link of someone who is at work at that second, or -1. */
  drawAtWork(second: number, random: Random): number {
    for (let i = 0; i < DRAWS_MAX; i++) {
      const link = this.atWork.draw(second, random);
      if (link < 0 || this.isAtWork(this.#links.account[link], second)) return link;
    }
    return -1;
  }

  /** Links from a person's desk, at most `countMax`, that are alive at that second. */
  fromDesk(person: number, second: number, countMax: number): number[] {
    const found: number[] = [];
    for (let i = this.#starts[person]; i < this.#starts[person + 1] && found.length < countMax; i++) {
      const link = this.#byPerson[i];
      if (this.#links.bornAt[link] <= second && second < this.#links.diesAt[link]) found.push(link);
    }
    return found;
  }
}

/** Links that have not died before a day, those made since `from` included. */
export function aliveOn(
  links: Links,
  before: Int32Array,
  from: number,
  dayStart: number,
): Int32Array<ArrayBuffer> {
  const alive = new Int32Array(before.length + links.count - from);
  let count = 0;
  for (const link of before) if (links.diesAt[link] > dayStart) alive[count++] = link;
  for (let link = from; link < links.count; link++)
    if (links.diesAt[link] === FOREVER || links.diesAt[link] > dayStart) alive[count++] = link;
  return alive.slice(0, count);
}

function tableOf(links: Links, live: Int32Array, weightOf: (link: number) => number): LinkTable {
  let count = 0;
  for (const link of live) if (weightOf(link) > 0) count++;
  const ids = new Int32Array(count);
  const weights = new Float64Array(count);
  let i = 0;
  for (const link of live) {
    const weight = weightOf(link);
    if (weight === 0) continue;
    ids[i] = link;
    weights[i++] = weight;
  }
  return new LinkTable(links, ids, weights);
}
