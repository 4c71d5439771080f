/** The system's limits, and our own, that advice must stay within. */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * The largest send buffer that is advised, in bytes as the kernel reads it back. `nearwire tune` sweeps up to this
 * size: beyond it nothing becomes faster, and one response to one slow reader occupies that much of the kernel's
 * memory.
 */
export const LARGEST_SEND_BUFFER = 8 * MiB;
/**
 * A stream that waits for room gains nothing from a larger send buffer than this, to which the engine grows it by
 * itself for files and pages.
 */
export const STREAM_SEND_BUFFER = 1 * MiB;
/** The share of this process's memory that all send buffers of a server may occupy if all were full. */
const MEMORY_SHARE = 1 / 8;

/** Linux doubles the requested SO_SNDBUF, and reads back the double. */
const DOUBLES_BUFFERS = process.platform === 'linux';

/** The size to request so that this many bytes are read back. */
export function askedFor(effective: number): number {
  return DOUBLES_BUFFERS ? Math.ceil(effective / 2) : effective;
}

/** A limit of the Linux kernel, by its sysctl name; undefined elsewhere, or if it is not readable. */
function sysctl(name: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const value = Number(readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8'));
    return Number.isFinite(value) ? value : undefined;
  } catch {
    // Some containers hide it.
    return undefined;
  }
}

export interface SystemLimit {
  /** The sysctl name. */
  name: string;
  value: number | undefined;
}

/** The largest SO_SNDBUF that may be requested. */
export function sendBufferLimit(): SystemLimit {
  const name = 'net.core.wmem_max';
  return { name, value: sysctl(name) };
}

/** The longest accept queue that a listener may have. */
export function backlogLimit(): SystemLimit {
  const name = 'net.core.somaxconn';
  return { name, value: sysctl(name) };
}

/** Bytes that all send buffers of a server may occupy together. */
export function memoryForBuffers(): number {
  // The control group's limit if there is one; otherwise 0, undefined or more than the machine has.
  const constrained = process.constrainedMemory() as number | undefined;
  return (constrained ? Math.min(constrained, totalmem()) : totalmem()) * MEMORY_SHARE;
}
