/** The parts of a `writev`, the same on both transports. */
import { argTypeError } from '../errors/index.js';
import { COPY_LIMIT } from '../engine/outbound.js';

/** Converts the parts to bytes. Invalid ones throw before anything is written. */
export function bytesOfParts(parts: readonly (Uint8Array | string)[]): Uint8Array[] {
  if (!Array.isArray(parts)) throw argTypeError('parts', 'an instance of Array', parts);
  return (parts as readonly (Uint8Array | string)[]).map((part, index) => {
    if (typeof part === 'string') return Buffer.from(part, 'utf8');
    if (part instanceof Uint8Array) return part;
    throw argTypeError(`parts[${String(index)}]`, 'of type string or an instance of Buffer or Uint8Array', part);
  });
}

/** Parts of at most this total are copied; beyond it, all are lent. */
export function isCopied(parts: readonly Uint8Array[]): boolean {
  return parts.reduce((sum, { length }) => sum + length, 0) <= COPY_LIMIT;
}
