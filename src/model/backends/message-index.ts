import type { MessageGraph } from "./backend.ts";

/**
 * The messages of a graph, grouped by destination and message relation, so that a relation's weights are applied once a pair and not
 * once a link; and by source. Relation r carries messages along its links, relation `relations + r` against them.
 */
export type MessageIndex = {
  /** Pairs of a destination and a message relation. */
  readonly pairs: number;
  /** Pairs of an entity lie together: entities + 1. */
  readonly pairStarts: Int32Array;
  /** By pair. */
  readonly destinations: Int32Array;
  readonly messages: Int32Array;
  /** Neighbours of a pair lie together: pairs + 1. */
  readonly starts: Int32Array;
  readonly neighbours: Int32Array;
  /** The pairs that an entity is a neighbour in lie together: entities + 1. */
  readonly sourceStarts: Int32Array;
  readonly sourcePairs: Int32Array;
};

/** Counting sorts: one pass over the messages by relation, one by destination, one by source. */
export function indexMessages(
  { from, relation, to }: MessageGraph,
  entities: number,
  relations: number,
): MessageIndex {
  const links = from.length;
  const count = 2 * links;
  const sourceOf = (i: number): number => (i < links ? from[i]! : to[i - links]!);
  const destinationOf = (i: number): number => (i < links ? to[i]! : from[i - links]!);
  const messageOf = (i: number): number => (i < links ? relation[i]! : relations + relation[i - links]!);
  const byMessage = sortedBy(
    messageOf,
    2 * relations,
    Int32Array.from({ length: count }, (_, i) => i),
  ).order;
  const { order } = sortedBy(destinationOf, entities, byMessage);

  const pairStarts = new Int32Array(entities + 1);
  const destinations = new Int32Array(count);
  const messages = new Int32Array(count);
  const starts = new Int32Array(count + 1);
  const neighbours = new Int32Array(count);
  const pairOf = new Int32Array(count);
  let pairs = 0;
  for (let at = 0; at < count; at++) {
    const i = order[at]!;
    const isSame =
      at > 0 &&
      destinationOf(i) === destinationOf(order[at - 1]!) &&
      messageOf(i) === messageOf(order[at - 1]!);
    if (!isSame) {
      destinations[pairs] = destinationOf(i);
      messages[pairs] = messageOf(i);
      starts[pairs] = at;
      pairStarts[destinationOf(i) + 1]!++;
      pairs++;
    }
    neighbours[at] = sourceOf(i);
    pairOf[at] = pairs - 1;
  }
  starts[pairs] = count;
  for (let entity = 0; entity < entities; entity++) pairStarts[entity + 1]! += pairStarts[entity]!;

  const bySource = sortedBy(
    (at) => neighbours[at]!,
    entities,
    Int32Array.from({ length: count }, (_, at) => at),
  );
  return {
    pairs,
    pairStarts,
    destinations: destinations.slice(0, pairs),
    messages: messages.slice(0, pairs),
    starts: starts.slice(0, pairs + 1),
    neighbours,
    sourceStarts: bySource.starts,
    sourcePairs: bySource.order.map((at) => pairOf[at]!),
  };
}

/** Items by key, those of one key in the order in which they come; and where those of each key start. */
function sortedBy(keyOf: (item: number) => number, keys: number, items: Int32Array) {
  const starts = new Int32Array(keys + 1);
  for (const item of items) starts[keyOf(item) + 1]!++;
  for (let key = 0; key < keys; key++) starts[key + 1]! += starts[key]!;
  const next = starts.slice(0, keys);
  const order = new Int32Array(items.length);
  for (const item of items) order[next[keyOf(item)]!++] = item;
  return { order, starts };
}
