/** Memory for what programs are given: an ArrayBuffer of its own, of exactly its length, as node gives it. */

/** Buffer's own class: what its methods make their results with. */
const OwnBuffer = (Buffer as unknown as { [Symbol.species]: new (length: number) => Buffer })[Symbol.species];

/** Up to this length V8 keeps an array's bytes within the array: to make one costs no more than any object. */
const IN_ARRAY = 64;

/** A copy of `memory[start..end)`. */
export function copyOf(memory: Uint8Array, start: number, end: number): Buffer {
  const length = end - start;
  const copy = length <= IN_ARRAY ? new OwnBuffer(length) : Buffer.allocUnsafeSlow(length);
  copy.set(memory.subarray(start, end));
  return copy;
}
