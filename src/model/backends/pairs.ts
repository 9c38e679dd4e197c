import type { MessageGraph } from "./backend.ts";

/**
 * Messages grouped by (destination, message relation), so that a relation's matrix is applied once a pair and not once a
 * link. Relation r carries messages along its links, relation `relations + r` against them.
 *
 *   destination:i32[pairs]  message:i32[pairs]  starts:i32[pairs + 1]  neighbours:i32[2 x links]
 */
export type Pairs = {
  readonly count: number;
  readonly destination: Int32Array;
  readonly message: Int32Array;
  readonly starts: Int32Array;
  readonly neighbours: Int32Array;
};

export function groupPairs(graph: MessageGraph, relations: number): Pairs {
  const links = graph.from.length;
  const destinationOf = (i: number): number => (i < links ? graph.to[i]! : graph.from[i - links]!);
  const sourceOf = (i: number): number => (i < links ? graph.from[i]! : graph.to[i - links]!);
  const messageOf = (i: number): number =>
    i < links ? graph.relation[i]! : relations + graph.relation[i - links]!;
  const order = Array.from({ length: 2 * links }, (_, i) => i).sort(
    (a, b) => messageOf(a) - messageOf(b) || destinationOf(a) - destinationOf(b) || sourceOf(a) - sourceOf(b),
  );
  const destination: number[] = [];
  const message: number[] = [];
  const starts: number[] = [];
  for (const [place, i] of order.entries()) {
    if (destination.at(-1) === destinationOf(i) && message.at(-1) === messageOf(i)) continue;
    destination.push(destinationOf(i));
    message.push(messageOf(i));
    starts.push(place);
  }
  starts.push(order.length);
  return {
    count: destination.length,
    destination: Int32Array.from(destination),
    message: Int32Array.from(message),
    starts: Int32Array.from(starts),
    neighbours: Int32Array.from(order, sourceOf),
  };
}
