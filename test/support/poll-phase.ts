/**
 * A moment between what the kernel has taken and what a program has been told of that. The transport sends while the event
 * loop polls, and tells when it has polled: a callback of node's own socket may run in between.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { readNow } from './channels.js';
import { nextTurn, pair } from './sockets.js';
import { reference } from './subjects.js';

export interface Between {
  /** Node's own socket at the other end, which is paused. */
  peer: Socket;
  /** Whether it is the moment, when the peer has read so much. */
  isIt: (received: number) => boolean;
}

/**
 * Reads at the peer until the moment comes, and resolves within it, while the loop still polls. Returns the number of bytes
 * that have been read.
 */
export async function betweenSentAndTold({ peer, isIt }: Between): Promise<number> {
  const { client: bell, peer: heard } = await pair(reference, 'unix');
  for (let received = 0; ;) {
    // Twice, so that the loop knows of no ring any more: the next one then stands behind the room that is made here.
    await nextTurn();
    await nextTurn();
    received += readNow(peer).length;
    bell.write('.');
    await once(heard, 'data');
    if (isIt(received)) return received;
  }
}
