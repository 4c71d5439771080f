/** The workers of retained: each message is answered before the next one is sent, so that each comes as its own chunk. */
import type * as net from 'node:net';

import { Control, runLoad, type Load } from './control.js';
import { pattern } from './pattern.js';
import type { Words } from './words.js';

const ANSWER = Buffer.from('.');

/** The first connection warms up: what it brings is let go. */
export function keepChunks({ bytes }: Words): (socket: net.Socket) => void {
  let connections = 0;
  return (socket) => {
    const kept: Buffer[] | undefined = connections++ === 0 ? undefined : [];
    socket.on('data', (chunk) => {
      if (chunk.length !== bytes) throw new Error(`a chunk of ${String(chunk.length)} bytes is no message`);
      kept?.push(chunk);
      socket.write(ANSWER);
    });
  };
}

export async function loadRetained(connect: () => Promise<net.Socket>, { bytes, chunks }: Words): Promise<void> {
  const message = pattern(bytes);
  const warm = await connect();
  await sendOneByOne(warm, message, chunks);
  await ended(warm);
  const socket = await connect();
  const control = new Control(() => {
    socket.destroy();
  });
  const load: Load = {
    async phase() {
      const startedAt = performance.now();
      await sendOneByOne(socket, message, chunks);
      return { seconds: (performance.now() - startedAt) / 1e3, operations: chunks, bytes: chunks * bytes };
    },
  };
  await runLoad(control, load, 0, 0);
}

function sendOneByOne(socket: net.Socket, message: Buffer, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    socket.on('data', function next() {
      if (--left > 0) {
        socket.write(message);
        return;
      }
      socket.off('data', next);
      resolve();
    });
    socket.write(message);
  });
}

/** The server has closed its end too. */
function ended(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('close', () => {
      resolve();
    });
    // Flowing, for its end to be seen.
    socket.resume().end();
  });
}
