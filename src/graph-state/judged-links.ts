import type { Column } from "../ingest/login.ts";

/** What people have said of what an alert named: it was in order, or it was an attack. */
export type Judgement = "benign" | "malicious";

/** A link by its columns and the names at its ends. */
export type NamedLink = {
  readonly from: Column;
  readonly to: Column;
  readonly fromName: string;
  readonly toName: string;
};

type Votes = { benign: number; malicious: number };

/**
 * Links that people have judged. Not part of any segment: it is said of links, and not seen in logins. Names stand for links, so that
 * a judgement outlives the rows of a graph that is built anew.
 */
export class JudgedLinks {
  readonly #votes = new Map<string, Votes>();

  get isEmpty(): boolean {
    return this.#votes.size === 0;
  }

  add(link: NamedLink, judgement: Judgement): void {
    const key = keyOf(link);
    const votes = this.#votes.get(key) ?? { benign: 0, malicious: 0 };
    votes[judgement]++;
    this.#votes.set(key, votes);
  }

  /** Takes back what was added before. */
  remove(link: NamedLink, judgement: Judgement): void {
    const key = keyOf(link);
    const votes = this.#votes.get(key);
    if (votes === undefined) return;
    votes[judgement]--;
    if (votes.benign <= 0 && votes.malicious <= 0) this.#votes.delete(key);
  }

  /** Who says that it was an attack has the last word. */
  of(link: NamedLink): Judgement | undefined {
    const votes = this.#votes.get(keyOf(link));
    if (votes === undefined) return undefined;
    return votes.malicious > 0 ? "malicious" : "benign";
  }
}

/** Lengths first: names may hold any separator. */
function keyOf({ from, to, fromName, toName }: NamedLink): string {
  return `${from}/${to}/${fromName.length}/${fromName}${toName}`;
}
