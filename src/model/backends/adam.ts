/** Adam's usual decay rates and guard against division by zero (Kingma & Ba, ICLR 2015). `kernels/rgcn.ts` has them too. */
export const BETA1 = 0.9;
export const BETA2 = 0.999;
export const EPSILON = 1e-8;

/** What moments are to be multiplied with, corrected for beginning at zero; `step` counts from 1. */
export function adamRate(learningRate: number, step: number): number {
  return (learningRate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step);
}
