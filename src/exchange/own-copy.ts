/**
 * Bytes for a program to keep, as node's parser gives those of bodies: in an ArrayBuffer of their own, which they fill. It
 * may be transferred, and nothing else goes with it.
 */
export function ownCopy(data: Uint8Array, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  copy.set(data.subarray(start, end));
  return copy;
}
