/** Memory for data handed to programs: each gets its own ArrayBuffer of exactly its length, as in node. */

import { countOutsideHeap } from './early-scavenge.js';

/** The internal class of Buffer that its own methods use for their results. */
const OwnBuffer = (Buffer as unknown as { [Symbol.species]: new (length: number) => Buffer })[Symbol.species];

/** Up to this length V8 keeps an array's bytes inside the object, which is then as cheap as any object. */
const IN_ARRAY = 64;

/** Uninitialized memory that is not shared; the program may keep or drop it. */
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
