import type { Point, Size } from "./layout.ts";

const FONT_HEIGHT = 12;
/** Of a narrow character, and of one that takes the room of two. */
const NARROW = 7.4;
const WIDE = 13;
/** From the middle of a node to its label. */
const GAP = 11;
/** What being on something else costs, in squares of the drawing's unit, of which a label has a thousand. */
const NODE_COST = 120;
const LINE_COST = 25;
const OUTSIDE_COST = 1000;
/** A line is looked at in so many places. */
const SAMPLES = 40;
/** A label of a neighbour is left out if more than this share of it would lie on other labels. */
const HIDDEN_SHARE_MAX = 0.35;

export type Label = Point & {
  readonly anchor: "start" | "middle" | "end";
};

type Box = { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };

/** Where a label may stand around its node, the best first. */
const PLACES = [
  { dx: GAP, dy: 4, anchor: "start" },
  { dx: -GAP, dy: 4, anchor: "end" },
  { dx: 0, dy: GAP + 10, anchor: "middle" },
  { dx: 0, dy: -GAP, anchor: "middle" },
  { dx: GAP - 2, dy: GAP + 4, anchor: "start" },
  { dx: GAP - 2, dy: -GAP + 4, anchor: "start" },
  { dx: -GAP + 2, dy: GAP + 4, anchor: "end" },
  { dx: -GAP + 2, dy: -GAP + 4, anchor: "end" },
] as const;

/**
 * A place for the label of each node, where it hides least; one node after the other, so the first have the best. Undefined where a
 * label would lie on others: whoever points at the node is told its name still.
 *
 * @param needed how many of the first nodes get a label in any case
 */
export function labelPlaces(
  texts: readonly string[],
  nodes: readonly Point[],
  lines: readonly { readonly from: number; readonly to: number }[],
  size: Size,
  needed: number,
): (Label | undefined)[] {
  const taken: Box[] = [];
  const samples = lines.map(({ from, to }) => alongLine(nodes[from]!, nodes[to]!));
  return texts.map((text, i) => {
    let best: { readonly label: Label; readonly box: Box; readonly cost: number } | undefined;
    for (const { dx, dy, anchor } of PLACES) {
      const label = { x: nodes[i]!.x + dx, y: nodes[i]!.y + dy, anchor };
      const box = boxOf(label, widthOf(text));
      const cost = costOf(box, taken, nodes, size) + crossedBy(box, samples);
      if (best === undefined || cost < best.cost) best = { label, box, cost };
    }
    const { label, box } = best!;
    const hidden = taken.reduce((sum, other) => sum + overlap(box, other), 0);
    if (i >= needed && hidden > HIDDEN_SHARE_MAX * widthOf(text) * FONT_HEIGHT) return undefined;
    taken.push(box);
    return label;
  });
}

function costOf(box: Box, taken: readonly Box[], nodes: readonly Point[], { width, height }: Size): number {
  let cost = 0;
  for (const other of taken) cost += overlap(box, other);
  for (const { x, y } of nodes) {
    if (x > box.left - 6 && x < box.right + 6 && y > box.top - 6 && y < box.bottom + 6) cost += NODE_COST;
  }
  if (box.left < 0 || box.right > width || box.top < 0 || box.bottom > height) cost += OUTSIDE_COST;
  return cost;
}

/** Lines that begin at the node itself count too: the other side of it is freer. */
function crossedBy(box: Box, lines: readonly (readonly Point[])[]): number {
  const isInside = ({ x, y }: Point) => x > box.left && x < box.right && y > box.top && y < box.bottom;
  return LINE_COST * lines.filter((points) => points.some(isInside)).length;
}

function alongLine(start: Point, end: Point): Point[] {
  return Array.from({ length: SAMPLES + 1 }, (_, i) => ({
    x: start.x + ((end.x - start.x) * i) / SAMPLES,
    y: start.y + ((end.y - start.y) * i) / SAMPLES,
  }));
}

function boxOf({ x, y, anchor }: Label, width: number): Box {
  const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
  return { left, right: left + width, top: y - FONT_HEIGHT + 2, bottom: y + 3 };
}

function overlap(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return width > 0 && height > 0 ? width * height : 0;
}

function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += character.codePointAt(0)! < 0x1100 ? NARROW : WIDE;
  return width;
}
