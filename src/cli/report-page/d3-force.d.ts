/** The part of d3-force that is used here. */
declare module "d3-force" {
  export type Body = { index?: number; x?: number; y?: number };
  export type Spring = { readonly source: number | Body; readonly target: number | Body };
  export type Force = (alpha: number) => void;
  export type Simulation = {
    force(name: string, force: Force): Simulation;
    stop(): Simulation;
    tick(iterations: number): Simulation;
  };
  export function forceSimulation(bodies: readonly Body[]): Simulation;
  export function forceLink(
    springs: readonly Spring[],
  ): Force & { distance(distance: number): Force & { strength(strength: number): Force } };
  export function forceManyBody(): Force & {
    strength(strength: number): Force & { distanceMax(distance: number): Force };
  };
  export function forceCollide(radius: number): Force;
  export function forceX(x: number): Force & { strength(strength: number): Force };
  export function forceY(y: number): Force & { strength(strength: number): Force };
}
