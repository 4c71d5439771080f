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

/** Bytes of memory files on the whole machine, those of sent pages that nobody has read yet among them. */
export function sharedMemory(): number {
  return Number(/^Shmem:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
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
