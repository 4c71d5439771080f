/**
 * The workers of retained: on each connection a message is answered before the next one is sent, so that each comes as its
 * own chunk.
 */
import type * as net from 'node:net';

import { Control, runLoad, type Load } from './control.js';
import { pattern } from './pattern.js';
import type { Words } from './words.js';

const ANSWER = Buffer.from('.');
/**
 * Messages of the warm-up, which are let go: enough for both ends to be compiled, and for each connection to have all that
 * it ever has.
 */
const WARM_UP = 16_000;

/** Keeps one chunk of so many, from the end of the warm-up on. */
export function keepChunks({ bytes, every }: Words): (socket: net.Socket) => void {
  const kept: Buffer[] = [];
  let received = -WARM_UP;
  return (socket) => {
    socket.on('data', (chunk) => {
      if (chunk.length !== bytes) throw new Error(`a chunk of ${String(chunk.length)} bytes is no message`);
      if (received >= 0 && received % every === 0) kept.push(chunk);
      received++;
      socket.write(ANSWER);
    });
  };
}

export async function loadRetained(
  connect: () => Promise<net.Socket>,
  { bytes, chunks, every, connections }: Words,
): Promise<void> {
  const message = pattern(bytes);
  const sockets = await Promise.all(Array.from({ length: connections }, connect));
  await sendOneByOne(sockets, message, WARM_UP);
  const control = new Control(() => {
    for (const socket of sockets) socket.destroy();
  });
  const operations = chunks * every;
  const load: Load = {
    async phase() {
      const startedAt = performance.now();
      await sendOneByOne(sockets, message, operations);
      return { seconds: (performance.now() - startedAt) / 1e3, operations, bytes: operations * bytes };
    },
  };
  await runLoad(control, load, 0, 0);
}

/** So many messages in all, one outstanding on each connection. */
function sendOneByOne(sockets: readonly net.Socket[], message: Buffer, count: number): Promise<void> {
  return new Promise((resolve) => {
    let unsent = count;
    let unanswered = count;
    for (const socket of sockets) {
      const send = (): void => {
        if (unsent === 0) return;
        unsent--;
        socket.write(message);
      };
      socket.removeAllListeners('data').on('data', () => {
        if (--unanswered === 0) resolve();
        send();
      });
      send();
    }
  });
}
