/**
 * Makes V8 scavenge its young generation before the memory of chunks makes it mark the whole heap.
 *
 * Chunks lie outside V8's heap. Most become garbage at once, and a scavenge of half a millisecond frees them. But V8
 * scavenges only when its young generation is full, and a chunk of 64 KiB takes only a few hundred bytes of that. Long
 * before, external memory reaches 64 MB, or the old generation's limit, and V8 marks the whole heap: 13 ms of CPU for a
 * heap of 8 MB, and in proportion. So, when many bytes have been handed out and none freed, we fill the rest of the
 * young generation, and V8 scavenges next.
 *
 * docs/performance.md has the gain.
 */
import { nodeV8 } from '../runtime/modules.js';

const MIB = 1024 * 1024;

/**
 * Before version 13, V8 scavenges by itself once its young generation holds 32 MB of external memory. With filling on
 * top of that, Node 22 took twice as long.
 */
const isLeftToUs = parseInt(process.versions.v8, 10) >= 13;
/** Bytes between two checks; a check takes a microsecond. */
const LOOK_EVERY = isLeftToUs ? 4 * MIB : Infinity;
/** External memory must grow by this before a scavenge pays: the old generation's limit is often no further away. */
const WORTH = 12 * MIB;
/** Share of the young generation; beyond it V8 scavenges when it is next idle. */
const SCAVENGED_AT = 0.8;
/**
 * With a young generation configured larger than this, V8's own limit comes first. We never fill more than has been
 * handed out.
 */
const MOST_FILLED = 48 * MIB;
/** Small enough for a regular object: V8 keeps larger ones elsewhere. */
const PIECE = 8 * 1024;
const PIECE_BYTES = 8 * PIECE;

/**
 * With longer pieces, 64 MB are so few objects that filling costs more than it saves: downloads of 1 MiB lost a fifth.
 */
const LONGEST = 128 * 1024;

let sinceLook = 0;
/** The lowest external memory seen since the last filling. */
let least = Infinity;
/** The same value at the last filling. */
let filledAt = Infinity;
/** Grows while programs keep what they are given, as scavenges free nothing then. */
let patience = 1;
/** Holds the last filling: a compiler might drop an allocation that nothing can observe. */
const filling: unknown[] = [];

/**
 * Counts bytes outside V8's heap that a program was given or has written; most of those were allocated for that write.
 */
export function countOutsideHeap(bytes: number): void {
  if (bytes > LONGEST) return;
  sinceLook += bytes;
  if (sinceLook >= LOOK_EVERY) look();
}

function look(): void {
  sinceLook = 0;
  const external = nodeV8().getHeapStatistics().external_memory;
  least = Math.min(least, external);
  const growth = external - least;
  if (growth < patience * WORTH) return;
  const left = untilScavenge();
  if (left > Math.min(growth, MOST_FILLED)) return;
  patience = least < filledAt ? 1 : 2 * patience;
  filledAt = external;
  least = Infinity;
  for (let filled = 0; filled < left; filled += PIECE_BYTES) filling[0] = new Array(PIECE);
  filling.length = 0;
}

/** Bytes. */
function untilScavenge(): number {
  const young = nodeV8()
    .getHeapSpaceStatistics()
    .find(({ space_name: name }) => name === 'new_space');
  if (!young) return Infinity;
  const { space_used_size: used, space_available_size: available } = young;
  return SCAVENGED_AT * (used + available) - used;
}
