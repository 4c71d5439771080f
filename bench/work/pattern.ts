/** Bytes that are wrong if shifted: the period is prime to every buffer size. */
const PERIOD = 251;

export function pattern(bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  for (let i = 0; i < bytes; i++) buffer[i] = i % PERIOD;
  return buffer;
}

/** Throws unless `data[start..end)` is what stands at `offset` of the message. */
export function verify(message: Buffer, offset: number, data: Buffer, start: number, end: number): void {
  if (message.compare(data, start, end, offset, offset + (end - start)) !== 0) {
    throw new Error(`the echo differs from what was sent, within ${String(end - start)} bytes at ${String(offset)}`);
  }
}

/** Of bench/floor/pattern.c, whose client knows what it is to be answered with. */
const FLOOR_PERIOD = 4093;

const floorPeriod = Uint8Array.from({ length: FLOOR_PERIOD }, (_, position) => position * 31 + (position >> 8) * 7 + 5);

export function floorPattern(bytes: number): Buffer {
  return Buffer.allocUnsafe(bytes).fill(floorPeriod);
}
