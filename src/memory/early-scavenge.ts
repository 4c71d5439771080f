/**
 * Has V8 collect its young generation before the memory of what programs are given, and write, has it mark the whole heap.
 *
 * Chunks lie outside of V8's heap. Most are garbage at once, and a scavenge of half a millisecond frees them; but V8 scavenges
 * when its young generation is full, of which a chunk of 64 KiB takes some hundred bytes. Long before that it counts 64 MB of
 * external memory, or its old generation's limit, and marks all of the heap: 13 ms of CPU for one of 8 MB, and in proportion.
 * So, when much has been given and none of it freed, the rest of the young generation is filled, and V8 scavenges next.
 *
 * docs/performance.md has what it is worth.
 */
import { nodeV8 } from '../runtime/modules.js';

const MIB = 1024 * 1024;

/**
 * Before version 13 V8 scavenges by itself when 32 MB of external memory are its young generation's. With a filling besides,
 * Node 22 took twice as long.
 */
const isLeftToUs = parseInt(process.versions.v8, 10) >= 13;
/** Bytes between two looks, which take a microsecond. */
const LOOK_EVERY = isLeftToUs ? 4 * MIB : Infinity;
/** Growth of external memory that a scavenge is worth: the old generation's limit is often no further away. */
const WORTH = 12 * MIB;
/** Of the young generation; from there on V8 scavenges when it is next idle. */
const SCAVENGED_AT = 0.8;
/** Of a larger young generation, which somebody has asked for, V8's limit comes first. No more than has been given is filled. */
const MOST_FILLED = 48 * MIB;
/** A regular object: V8 has larger ones elsewhere. */
const PIECE = 8 * 1024;
const PIECE_BYTES = 8 * PIECE;

/** Of longer pieces 64 MB are so few that a filling costs more than it saves: downloads of 1 MiB lost a fifth. */
const LONGEST = 128 * 1024;

let sinceLook = 0;
/** External memory at its least since it was last filled. */
let least = Infinity;
/** The same when it was filled. */
let filledAt = Infinity;
/** Grows while programs keep what they are given: scavenges free nothing then. */
let patience = 1;
/** What was filled in last: what nobody could see, a compiler might leave out. */
const filling: unknown[] = [];

/** So many bytes outside of V8's heap have been given to a program, or come from one: mostly they were made for that. */
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
