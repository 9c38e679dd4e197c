type Numbers = Float32Array | Float64Array;

/** Steps so far, and arrays of numbers, as bytes. */
export function packState(steps: number, arrays: readonly Numbers[]): Uint8Array {
  const bytes = new Uint8Array(8 + arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
  new DataView(bytes.buffer).setFloat64(0, steps);
  let at = 8;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes;
}

/** Fills arrays as `packState` was given them. @returns the steps */
export function unpackState(bytes: Uint8Array, arrays: readonly Numbers[]): number {
  const expected = 8 + arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (bytes.length !== expected) throw new Error(`a state of ${bytes.length} bytes, expected ${expected}`);
  let at = 8;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    new Uint8Array(buffer, byteOffset, byteLength).set(bytes.subarray(at, at + byteLength));
    at += byteLength;
  }
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
}
