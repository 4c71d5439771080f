/**
 * Bodies that a program writes again and again: the same Buffer with the same bytes in it, as a server does with what it
 * keeps in memory, or with a message for many. Once that shows, the kernel gets references to a sealed copy, as of a
 * `Page`, in the place of one more copy each time; a comparison before each of them shows that the bytes are still those.
 */
import { engineCounters } from './engine-counters.js';
import { Gathering, type Body } from './page-body.js';
import type { NativePage } from './native.js';
import { repeatLimitOfThread } from './settings.js';

/**
 * Shorter ones are copied as ever. Of 64 KiB a node:http response takes the server 21 us of CPU this way and 33 copied
 * where the reader is on another core, 20 and 19 where both share one; of 256 KiB 43 and 90, 40 and 87 (Linux 6.18, Node
 * 20.20, a virtual Xeon with 2 cores; medians of 5 rounds).
 */
const REPEAT_THRESHOLD = 64 * 1024;

/** Writes of a Buffer before it gets a sealed copy, which costs about as much as one more of them. */
const WRITES_BEFORE = 3;

/** So many writes of large Buffers later a copy that has not been sent again makes room for others. */
const IDLE_WRITES = 1000;

/** In the place of a count: this Buffer is never looked at again. */
const NEVER = -1;

/** A large Buffer that has been written. */
interface Repeated {
  /** How often, since there was last reason to count. */
  writes: number;
  copy: Copy | undefined;
}

interface Copy {
  /** Keeps what it is made of accounted for, as that of a page. */
  readonly body: Body & { sealed: NativePage };
  /** What the program never sees. */
  readonly bytes: Buffer;
  readonly of: Repeated;
  ref: WeakRef<Copy> | undefined;
  /** `writes` of this module, when it was last sent. */
  lastSent: number;
}

/** What has been sent so by this thread. */
export const repeatedBodies = { times: 0, bytes: 0 };

const known = new WeakMap<Uint8Array, Repeated>();
/** Copies live for as long as the Buffers that they are of, or until they are let go. */
const copies = new Set<WeakRef<Copy>>();
let bytesCopied = 0;
let writes = 0;

const collected = new FinalizationRegistry(({ ref, length }: { ref: WeakRef<Copy>; length: number }) => {
  if (copies.delete(ref)) bytesCopied -= length;
});

/** What is sent in the place of these bytes: sealed memory that holds the same; undefined: they themselves. */
export function repeatedBody(bytes: Uint8Array): NativePage | undefined {
  if (bytes.length < REPEAT_THRESHOLD) return undefined;
  const limit = repeatLimitOfThread();
  if (limit === 0) return undefined;
  writes++;
  const repeated = known.get(bytes);
  if (repeated === undefined) {
    known.set(bytes, { writes: 1, copy: undefined });
    return undefined;
  }
  if (repeated.copy !== undefined) return unchanged(repeated.copy, bytes);
  if (repeated.writes === NEVER || ++repeated.writes <= WRITES_BEFORE) return undefined;
  repeated.writes = 0;
  return hasRoom(bytes.length, limit) ? copyOf(bytes, repeated) : undefined;
}

function unchanged(copy: Copy, bytes: Uint8Array): NativePage | undefined {
  const { of } = copy;
  // A buffer that is filled anew for each write; or a kernel or sandbox that copies what it is referred to.
  if (!copy.bytes.equals(bytes) || areReferencesCopied()) {
    of.writes = NEVER;
    letGo(copy);
    return undefined;
  }
  return send(copy);
}

function send(copy: Copy): NativePage {
  copy.lastSent = writes;
  repeatedBodies.times++;
  repeatedBodies.bytes += copy.bytes.length;
  return copy.body.sealed;
}

/** Once the kernel has taken one it is not asked about again: the counters are many. */
let takesReferences = false;

function areReferencesCopied(): boolean {
  if (takesReferences) return false;
  const { pagesByReference, pagesByCopy } = engineCounters();
  takesReferences = pagesByReference > 0;
  return !takesReferences && pagesByCopy > 0;
}

function hasRoom(bytes: number, limit: number): boolean {
  if (bytesCopied + bytes <= limit) return true;
  if (bytes > limit) return false;
  for (const ref of copies) {
    const copy = ref.deref();
    if (copy !== undefined && writes - copy.lastSent > IDLE_WRITES) letGo(copy);
  }
  return bytesCopied + bytes <= limit;
}

function copyOf(bytes: Uint8Array, repeated: Repeated): NativePage | undefined {
  const body = gather(bytes);
  if (body?.sealed === undefined) {
    repeated.writes = NEVER;
    return undefined;
  }
  const { memory, length, sealed } = body;
  const held = Buffer.from(memory, 0, length);
  const copy: Copy = { body: { ...body, sealed }, bytes: held, of: repeated, lastSent: writes, ref: undefined };
  const ref = (copy.ref = new WeakRef(copy));
  repeated.copy = copy;
  copies.add(ref);
  bytesCopied += length;
  collected.register(copy, { ref, length });
  return send(copy);
}

/** What of it is still to be sent has its memory from the addon, and is sent. */
function letGo(copy: Copy): void {
  copy.of.copy = undefined;
  if (copy.ref !== undefined && copies.delete(copy.ref)) bytesCopied -= copy.body.length;
}

/** Undefined: pages are at their limit, or the system gives no more memory. */
function gather(bytes: Uint8Array): Body | undefined {
  try {
    const gathering = new Gathering(bytes.length);
    gathering.add(bytes);
    return gathering.finish();
  } catch {
    return undefined;
  }
}
