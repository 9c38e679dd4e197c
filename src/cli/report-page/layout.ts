import { type Body, forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from "d3-force";

/** Steps after which nothing moves any more: d3-force cools down in 300. */
const STEPS = 300;
const LINK_LENGTH = 70;
const REPULSION = -320;
const REPULSION_REACH = 420;
const GRAVITY = 0.13;
/** Nodes keep so far from each other that a line of text fits between them. */
const COLLISION_RADIUS = 20;

export type Size = { readonly width: number; readonly height: number };
export type Point = { readonly x: number; readonly y: number };

/**
 * Places of nodes in a drawing: linked ones near each other, all of them apart. Deterministic, for d3-force begins on a spiral
 * and has a random source of its own with a fixed seed.
 *
 * @param links pairs of positions in the list of nodes
 * @param margin kept free at each edge
 */
export function layout(
  count: number,
  links: readonly { readonly from: number; readonly to: number }[],
  { width, height }: Size,
  margin: Size,
): Point[] {
  const bodies: Body[] = Array.from({ length: count }, () => ({}));
  const springs = links.map(({ from, to }) => ({ source: from, target: to }));
  forceSimulation(bodies)
    .stop()
    .force("links", forceLink(springs).distance(LINK_LENGTH).strength(0.25))
    .force("apart", forceManyBody().strength(REPULSION).distanceMax(REPULSION_REACH))
    .force("room", forceCollide(COLLISION_RADIUS))
    .force("x", forceX(0).strength((GRAVITY * height) / width))
    .force("y", forceY(0).strength(GRAVITY))
    .tick(STEPS);
  const xs = fitted(
    bodies.map(({ x = 0 }) => x),
    width,
    margin.width,
  );
  const ys = fitted(
    bodies.map(({ y = 0 }) => y),
    height,
    margin.height,
  );
  return xs.map((x, i) => ({ x, y: ys[i]! }));
}

/** Stretched or squeezed so that the drawing is filled; to a tenth, which is finer than anyone sees. */
function fitted(values: readonly number[], size: number, margin: number): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const scale = high - low < 1 ? 0 : (size - 2 * margin) / (high - low);
  const start = scale === 0 ? size / 2 : margin;
  return values.map((value) => Math.round(10 * (start + (value - low) * scale)) / 10);
}
