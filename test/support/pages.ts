/** What the system says of pages. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Page, transportStatus } from 'nearwire';
import { nextTurn } from './sockets.js';

/** The addon has sealed memory: not in its portable build, nor without it. */
export const sealed = transportStatus().transport === 'native' && isSealed();

function isSealed(): boolean {
  Page.from(Buffer.alloc(Page.threshold));
  return Page.stats().ordinary === 0;
}

/** Descriptors of pages in this process. */
export function pageDescriptors(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('/memfd:nearwire-page');
    } catch {
      // The descriptor of the listing itself is closed by now.
      return false;
    }
  });
}

export function descriptorCount(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Bytes of pages that are mapped in this process: with no descriptor left, what keeps them. */
export function mappedMemory(): number {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes('/memfd:nearwire-page'))
    .map((line) => line.split(/[- ]/, 2).map((address) => Number(`0x${address}`)))
    .reduce((sum, [start = 0, end = 0]) => sum + end - start, 0);
}

const MOST_COLLECTIONS = 200;

/** Collects garbage until this holds; finalizers run some turns later. */
export async function collectUntil(holds: () => boolean): Promise<void> {
  for (let i = 0; !holds(); i++) {
    if (i === MOST_COLLECTIONS) throw new Error('garbage is still held');
    (globalThis as typeof globalThis & { gc(): void }).gc();
    await nextTurn();
  }
}
