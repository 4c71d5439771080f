/** A WebSocket for each thing that `work.ts` asks for: messages there and back, a stream down, a stream up. */
import type { Server } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws';
import { bodyOf, LARGEST, StreamCheck } from '../bodies.js';
import type { Observer } from '../observer.js';
import type { Address, Seam } from '../seam.js';

function exchange(socket: WebSocket, observer: Observer): void {
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      socket.send(data);
      return;
    }
    const path = new URL(data.toString(), 'ws://localhost');
    if (path.pathname === '/stats') socket.send(JSON.stringify(observer.stats()));
    else socket.send(bodyOf(Number(path.searchParams.get('seed')), Number(path.searchParams.get('length'))));
  });
}

function upload(socket: WebSocket, observer: Observer, isSlow: boolean): void {
  const check = new StreamCheck();
  let isComplete = false;
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      check.add(data);
      if (!isSlow) return;
      socket.pause();
      setImmediate(() => {
        socket.resume();
      });
      return;
    }
    isComplete = true;
    socket.send(JSON.stringify({ length: check.length }));
  });
  socket.on('close', () => {
    if (!isComplete) observer.lost();
  });
}

export function start(seam: Seam, address: Address, observer: Observer): Server {
  const server = seam.createServer({});
  const webSockets = new WebSocketServer({ server, maxPayload: LARGEST });
  webSockets.on('connection', (socket, request) => {
    socket.on('error', () => undefined);
    const { pathname, searchParams } = new URL(request.url ?? '', 'ws://localhost');
    if (pathname === '/stream') {
      const source = observer.source(Number(searchParams.get('length')));
      pipeline(source, createWebSocketStream(socket)).catch(() => {
        observer.lost();
      });
    } else if (pathname === '/upload') {
      upload(socket, observer, searchParams.get('speed') === 'slow');
    } else {
      exchange(socket, observer);
    }
  });
  return server.listen(address);
}
