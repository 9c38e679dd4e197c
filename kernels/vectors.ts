/** Bytes of a float, of a vector of four, of two vectors. */
export const F: usize = 4;
export const V: usize = 16;
export const V2: usize = 32;

export function sumOf(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3)
  );
}
