/** The workers on streams: one implementation for node:net and for nearwire, which has the same contract. */
import type * as net from 'node:net';

import { Control, tell } from './control.js';
import { messageEcho } from './echo.js';
import { RETAINED_WARM_UP, type Connect, type Link } from './loads.js';
import { floorPattern } from './pattern.js';
import type { Subject } from './subject.js';
import type { Target, Words } from './words.js';

type Listener = (socket: net.Socket) => void;

export function serveStream(subject: Subject, words: Words, target: Target): void {
  // Both ends of TCP send at once, as the plain C program and channels do.
  listen(subject.createServer({ noDelay: true }, listenerOf(subject, words)), target);
}

/** Listens, reports the address, and answers the parent until the parent ends. */
export function listen(server: Pick<net.Server, 'on' | 'listen' | 'address' | 'close'>, target: Target): void {
  server.on('error', (error) => {
    throw error;
  });
  server.listen(target, () => {
    tellAddress(server.address());
  });
  new Control(() => {
    server.close();
  });
}

export function tellAddress(address: ReturnType<net.Server['address']>): void {
  const text = typeof address === 'object' ? `${String(address?.address)}:${String(address?.port)}` : address;
  tell({ ready: true, address: text });
}

function listenerOf(subject: Subject, words: Words): Listener {
  if (words.case === 'relay') return relayPairs(subject);
  const acceptDelegateOf = takerFor(subject, words);
  return (socket) => {
    socket.on('error', ignore).on('data', acceptDelegateOf(socket));
  };
}

/** The handler of a connection's chunks. */
function takerFor({ write }: Subject, words: Words): (socket: net.Socket) => (chunk: Buffer) => void {
  switch (words.case) {
    case 'pipeline':
      return (socket) => {
        const echo = messageEcho(words.bytes, (data, start, stop) => write(socket, data.subarray(start, stop)));
        return (chunk) => {
          echo(chunk, 0, chunk.length);
        };
      };
    case 'bulk':
      return () => ignore;
    case 'retained':
      return keepChunks(words);
    default:
      return (socket) => (chunk) => socket.write(chunk);
  }
}

/** Connections are paired in the order in which they arrive. */
function relayPairs({ relay }: Subject): Listener {
  let single: net.Socket | undefined;
  return (socket) => {
    socket.on('error', ignore);
    if (single) relay(single, socket);
    single = single ? undefined : socket;
  };
}

/** Keeps one chunk out of `every`, from the end of the warm-up on. */
function keepChunks({ bytes, every }: Words): (socket: net.Socket) => (chunk: Buffer) => void {
  const kept: Buffer[] = [];
  const answer = floorPattern(bytes);
  let received = -RETAINED_WARM_UP;
  return (socket) => (chunk) => {
    if (chunk.length !== bytes) throw new Error(`a chunk of ${String(chunk.length)} bytes is no message`);
    if (received >= 0 && received % every === 0) kept.push(chunk);
    received++;
    socket.write(answer);
  };
}

export function connectStream({ connect, write }: Subject, target: Target): Connect {
  return (events) => {
    const socket = connect(target, () => {
      socket.setNoDelay(true);
      events.onConnect();
    });
    const link: Link = {
      write: (message) => write(socket, message),
      destroy: () => socket.destroy(),
    };
    socket.on('data', (chunk: Buffer) => {
      events.onData(link, chunk, 0, chunk.length);
    });
    socket.on('drain', () => {
      events.onDrain();
    });
    socket.on('error', (error) => {
      events.onError(link, error);
    });
    socket.on('close', () => {
      events.onClose();
    });
    return link;
  };
}

/** Clients may end a server's connections as they like, including by a reset. */
function ignore(): void {
  // Nothing to do: 'close' follows an error, and a sink ignores data.
}
