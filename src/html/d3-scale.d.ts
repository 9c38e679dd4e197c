/** The part of d3-scale that is used here. */
declare module "d3-scale" {
  export type Scale = {
    (value: number): number;
    domain(domain: readonly number[]): Scale;
    range(range: readonly number[]): Scale;
    ticks(count?: number): number[];
    tickFormat(count?: number, specifier?: string): (value: number) => string;
  };
  export function scaleLinear(): Scale;
  export function scaleLog(): Scale;
  export function scaleSymlog(): Scale;
}
