/** Memory for what programs are given: an ArrayBuffer of its own, of exactly its length, as node gives it. */

import { countOutsideHeap } from './early-scavenge.js';

/** Buffer's own class: what its methods make their results with. */
const OwnBuffer = (Buffer as unknown as { [Symbol.species]: new (length: number) => Buffer })[Symbol.species];

/** Up to this length V8 keeps an array's bytes within the array: to make one costs no more than any object. */
const IN_ARRAY = 64;

/** For a program to keep, or to let go of: uninitialised, and nobody else's. */
export function allocateOwn(length: number): Buffer {
  countOutsideHeap(length);
  return Buffer.allocUnsafeSlow(length);
}

/** A copy of `memory[start..end)`. */
export function copyOf(memory: Uint8Array, start: number, end: number): Buffer {
  const length = end - start;
  const copy = length <= IN_ARRAY ? new OwnBuffer(length) : allocateOwn(length);
  copy.set(memory.subarray(start, end));
  return copy;
}
