import { linkClassOf, relationNameOf, relationTypeOf } from "../relation-names.ts";
import type { TrainingInput } from "../training/training-input.ts";
import { fitTopics, type TopicModel, Topics } from "./topic-model.ts";

/** The relations of a training, and the topics that they were grouped by. */
export type GroupedInput = { readonly input: TrainingInput; readonly topics: TopicModel | null };

/**
 * Groups the types of links by how they are spelt, so that all links of one topic have one relation: where types are many, most have too few links
 * to learn a relation from.
 *
 * Topics stay from epoch to epoch, so that relations keep their meaning; they are fitted if there are none yet, or another number is asked for.
 *
 * @param topicCount 0: each type is a relation of its own; and so it stays while there are no more types than topics
 */
export function groupRelations(
  input: TrainingInput,
  topicCount: number,
  seed: number,
  previous: TopicModel | null,
): GroupedInput {
  const { graph } = input;
  const types = [...new Set(graph.relationNames.flatMap((name) => relationTypeOf(name) ?? []))].sort();
  if (topicCount === 0 || types.length <= topicCount) return { input, topics: null };
  const model = previous?.topics.length === topicCount ? previous : fitTopics(types, topicCount, seed);
  const topics = new Topics(model);
  const names = graph.relationNames.map((name) => groupedName(name, topics));
  const relationNames = [...new Set(names)].sort();
  const place = new Map(relationNames.map((name, i) => [name, i]));
  const relation = graph.linkRelation.map((old) => place.get(names[old]!)!);
  return {
    input: { ...input, graph: { ...graph, ...merged(graph, relation), relationNames } },
    topics: model,
  };
}

/** The name of the relation that stands for one whose type has a topic; a type of which nothing is known has none, and stays alone. */
export function groupedName(relationName: string, topics: Topics): string {
  const type = relationTypeOf(relationName);
  const topic = type === undefined ? undefined : topics.of(type);
  if (topic === undefined) return relationName;
  return relationNameOf(linkClassOf(relationName), topic);
}

type Links = Pick<
  TrainingInput["graph"],
  | "linkFrom"
  | "linkTo"
  | "linkRelation"
  | "linkCount"
  | "linkWeak"
  | "linkFailures"
  | "linkFirstMs"
  | "linkLastMs"
>;

/** Links of the same ends and relation become one, in canonical order. */
function merged(links: Links, relation: Int32Array): Links {
  const { linkFrom, linkTo } = links;
  const order = Array.from(linkFrom.keys()).sort(
    (a, b) => linkFrom[a]! - linkFrom[b]! || relation[a]! - relation[b]! || linkTo[a]! - linkTo[b]!,
  );
  const groups: number[][] = [];
  for (const link of order) {
    const first = groups.at(-1)?.[0];
    const isSame =
      first !== undefined &&
      linkFrom[first] === linkFrom[link] &&
      relation[first] === relation[link] &&
      linkTo[first] === linkTo[link];
    if (isSame) groups.at(-1)!.push(link);
    else groups.push([link]);
  }
  const sumOf = (column: Float64Array): Float64Array =>
    Float64Array.from(groups, (group) => group.reduce((sum, link) => sum + column[link]!, 0));
  return {
    linkFrom: Int32Array.from(groups, ([link]) => linkFrom[link!]!),
    linkTo: Int32Array.from(groups, ([link]) => linkTo[link!]!),
    linkRelation: Int32Array.from(groups, ([link]) => relation[link!]!),
    linkCount: sumOf(links.linkCount),
    linkWeak: sumOf(links.linkWeak),
    linkFailures: sumOf(links.linkFailures),
    linkFirstMs: Float64Array.from(groups, (group) => Math.min(...group.map((i) => links.linkFirstMs[i]!))),
    linkLastMs: Float64Array.from(groups, (group) => Math.max(...group.map((i) => links.linkLastMs[i]!))),
  };
}
