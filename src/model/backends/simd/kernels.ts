import type { DecoderName } from "../../decoders/decoder.ts";

/** `kernels/decode.ts` */
export type Decode = (
  z: number,
  relations: number,
  d: number,
  margin: number,
  from: number,
  relation: number,
  to: number,
  label: number,
  weight: number,
  count: number,
  dz: number,
  dRelations: number,
  begin: number,
  end: number,
) => number;

/** What `kernels/rgcn.ts` exports; it says what each function does. Arguments are bytes, floats or rows. */
export type Kernels = {
  multiply(input: number, k: number, w: number, d: number, out: number, begin: number, end: number): void;
  addOuter(x: number, k: number, y: number, d: number, w: number, begin: number, end: number): void;
  transpose(w: number, k: number, d: number, out: number): void;
  gather(
    rows: number,
    d: number,
    bases: number,
    pairStarts: number,
    messages: number,
    starts: number,
    neighbours: number,
    coefficients: number,
    means: number,
    x: number,
    begin: number,
    end: number,
  ): void;
  gatherDiagonal(
    rows: number,
    d: number,
    pairStarts: number,
    messages: number,
    starts: number,
    neighbours: number,
    diagonals: number,
    means: number,
    out: number,
    begin: number,
    end: number,
  ): void;
  gatherBackward(
    d: number,
    bases: number,
    pairStarts: number,
    messages: number,
    starts: number,
    coefficients: number,
    means: number,
    dx: number,
    dCoefficients: number,
    begin: number,
    end: number,
  ): void;
  gatherDiagonalBackward(
    d: number,
    pairStarts: number,
    messages: number,
    starts: number,
    diagonals: number,
    means: number,
    dOut: number,
    dDiagonals: number,
    begin: number,
    end: number,
  ): void;
  scatter(
    own: number,
    ownFloats: number,
    d: number,
    sourceStarts: number,
    sourcePairs: number,
    means: number,
    out: number,
    begin: number,
    end: number,
  ): void;
  setRows(bias: number, d: number, out: number, begin: number, end: number): void;
  addRows(rows: number, d: number, sums: number, begin: number, end: number): void;
  relu(x: number, begin: number, end: number): void;
  reluBackward(x: number, dx: number, begin: number, end: number): void;
  squares(x: number, begin: number, end: number): number;
  addScaled(x: number, factor: number, out: number, begin: number, end: number): void;
  dropOut(
    x: number,
    d: number,
    dimensions: number,
    key: number,
    threshold: number,
    scale: number,
    begin: number,
    end: number,
  ): void;
  decodeDistMult: Decode;
  decodeTransE: Decode;
  decodeRotatE: Decode;
  decodeComplEx: Decode;
  adam(
    values: number,
    gradients: number,
    first: number,
    second: number,
    clip: number,
    rate: number,
    begin: number,
    end: number,
  ): void;
};

const DECODE_NAMES = {
  distmult: "decodeDistMult",
  transe: "decodeTransE",
  rotate: "decodeRotatE",
  complex: "decodeComplEx",
} as const satisfies Readonly<Record<DecoderName, keyof Kernels>>;

export function decodeOf(kernels: Kernels, decoder: DecoderName): Decode {
  return kernels[DECODE_NAMES[decoder]];
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}
