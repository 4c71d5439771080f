/** Bytes that differ when shifted, as in bench/floor/pattern.c, whose client knows the expected response. */
const FLOOR_PERIOD = 4093;

const floorPeriod = Uint8Array.from({ length: FLOOR_PERIOD }, (_, position) => position * 31 + (position >> 8) * 7 + 5);

export function floorPattern(bytes: number): Buffer {
  return Buffer.allocUnsafe(bytes).fill(floorPeriod);
}
