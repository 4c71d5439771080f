/** Limits of the system that an advice has to reckon with, and our own. */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * The largest send buffer that is advised, in bytes as the kernel reads it back. `nearwire tune` sweeps as far: beyond,
 * nothing becomes faster, and one answer to one slow reader holds so much of the kernel's memory.
 */
export const LARGEST_SEND_BUFFER = 8 * MiB;
/**
 * A stream that is held up by its buffer gains nothing from a larger one than this: what the engine grows to by itself for
 * files and pages.
 */
export const STREAM_SEND_BUFFER = 1 * MiB;
/** The part of the memory of this process that all send buffers of a server together may come to, if all were full. */
const MEMORY_SHARE = 1 / 8;

/** Linux doubles what SO_SNDBUF is asked for, and reads back the double. */
const DOUBLES_BUFFERS = process.platform === 'linux';

/** What to ask for, so that so many bytes are read back. */
export function askedFor(effective: number): number {
  return DOUBLES_BUFFERS ? Math.ceil(effective / 2) : effective;
}

/** A limit of the Linux kernel's, by its name in sysctl; undefined elsewhere, or where it can't be read. */
function sysctl(name: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const value = Number(readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8'));
    return Number.isFinite(value) ? value : undefined;
  } catch {
    // Not every container shows it.
    return undefined;
  }
}

export interface SystemLimit {
  /** As sysctl calls it. */
  name: string;
  value: number | undefined;
}

/** The most that SO_SNDBUF may be asked for. */
export function sendBufferLimit(): SystemLimit {
  const name = 'net.core.wmem_max';
  return { name, value: sysctl(name) };
}

/** The most that may wait at a listener. */
export function backlogLimit(): SystemLimit {
  const name = 'net.core.somaxconn';
  return { name, value: sysctl(name) };
}

/** Bytes that a server's send buffers may come to together. */
export function memoryForBuffers(): number {
  // Of the control group where there is one with a limit; else 0, undefined or more than there is.
  const constrained = process.constrainedMemory() as number | undefined;
  return (constrained ? Math.min(constrained, totalmem()) : totalmem()) * MEMORY_SHARE;
}
