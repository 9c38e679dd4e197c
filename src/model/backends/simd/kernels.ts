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
  decode(
    z: number,
    decoder: number,
    d: number,
    from: number,
    relation: number,
    to: number,
    label: number,
    weight: number,
    count: number,
    dz: number,
    dDecoder: number,
    begin: number,
    end: number,
  ): number;
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

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}
