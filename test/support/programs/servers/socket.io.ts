/** Socket.IO: an event for each thing that `work.ts` asks for. Streams go by acknowledged events. */
import type { Server } from 'node:http';
import { Server as SocketServer, type Socket } from 'socket.io';
import { bodyOf, LARGEST, KIB, StreamCheck } from '../bodies.js';
import type { Observer } from '../observer.js';
import type { Address, Seam } from '../seam.js';

/** Room for the packet around a body. */
const OVERHEAD = 64 * KIB;

type Answer<T> = (value: T) => void;

async function download(socket: Socket, observer: Observer, length: number): Promise<void> {
  for await (const chunk of observer.source(length)) {
    // Until the other side has taken it: there is no other sign of a slow reader.
    await socket.emitWithAck('chunk', chunk);
  }
  socket.emit('end');
}

export function start(seam: Seam, address: Address, observer: Observer): Server {
  const server = seam.createServer({});
  const sockets = new SocketServer(server, { maxHttpBufferSize: LARGEST + OVERHEAD });
  sockets.on('connection', (socket) => {
    const upload = new StreamCheck();
    let isBusy = false;
    socket.on('echo', (body: Buffer, answer: Answer<Buffer>) => {
      answer(body);
    });
    socket.on('bytes', (seed: number, length: number, answer: Answer<Buffer>) => {
      answer(bodyOf(seed, length));
    });
    socket.on('stats', (answer: Answer<unknown>) => {
      answer(observer.stats());
    });
    socket.on('stream', (length: number) => {
      isBusy = true;
      void download(socket, observer, length).finally(() => (isBusy = false));
    });
    socket.on('chunk', (chunk: Buffer, isSlow: boolean, answer: () => void) => {
      isBusy = true;
      upload.add(chunk);
      if (isSlow) setImmediate(answer);
      else answer();
    });
    socket.on('end', (answer: Answer<unknown>) => {
      isBusy = false;
      answer({ length: upload.length });
    });
    socket.on('disconnect', () => {
      if (isBusy) observer.lost();
    });
  });
  return server.listen(address);
}
