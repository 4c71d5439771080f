/**
 * A request and its response in memory: from the bytes that a read has returned, by way of the server's 'request' event
 * and `end()`, to those that the system call for writing would be given. Over HTTP it is the next one of a kept
 * connection; over uwsgi each has a connection of its own.
 */
import { createServer, type RequestListener } from 'node:http';
import { Duplex } from 'node:stream';

import { createServer as createHttpServer } from 'nearwire/http';
import { createServer as createUwsgiServer } from 'nearwire/uwsgi';
import { acceptDelegateOf, runTicks, socketSettings, type AcceptingListener } from 'nearwire/internal';
import { uwsgiPacket } from '../work/uwsgi-packet.js';
import { counted, type Operation, type Rivals } from './operation.js';
import { createSilentEngine, type SilentEngine } from './silent-engine.js';

/** As many as a busy server handles between two garbage collections of its youngest objects. */
const REQUESTS = 100;

const HEAD = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nX-Real-IP: 203.0.113.7\r\n\r\n');

const hello: RequestListener = (_, response) => {
  response.end('Hello, world!');
};

/** Each response must have left. */
function serving(serve: () => void, taken: () => number): Operation {
  const once = (): void => {
    serve();
    runTicks();
  };
  once();
  const before = taken();
  once();
  return counted(REQUESTS, once, taken, taken() - before);
}

/** A server with connections that exist in memory only. */
export interface MemoryServer {
  /** Has it read these bytes on one of the connections. */
  read(connection: number, bytes: Buffer): void;
  /** Bytes that it has sent so far. */
  taken(): number;
}

export function nodeInMemory(listener: RequestListener, connections: number): MemoryServer {
  let taken = 0;
  const server = createServer(listener);
  const sockets = Array.from({ length: connections }, () => {
    const socket = new Duplex({
      read: () => undefined,
      write(data: Buffer, _encoding, done) {
        taken += data.length;
        done();
      },
    });
    server.emit('connection', socket);
    return socket;
  });
  return {
    read: (connection, bytes) => void sockets[connection]?.push(bytes),
    taken: () => taken,
  };
}

/** One that listens keeps the timer with which it looks for late requests; this one would make it for each connection. */
function listening<Server extends object>(server: Server): Server {
  return Object.defineProperty(server, 'listening', { value: true });
}

function listenerOn({ engine }: SilentEngine): AcceptingListener {
  return {
    engine,
    tcp: false,
    settings: socketSettings(engine, undefined),
    announce(admit, host, id) {
      admit(host, this, id);
    },
  };
}

export function nearwireInMemory(listener: RequestListener, connections: number): MemoryServer {
  const silent = createSilentEngine();
  const delegate = acceptDelegateOf(listening(createHttpServer(listener)));
  const ids = Array.from({ length: connections }, () => {
    const id = silent.accept();
    if (delegate?.take(listenerOn(silent), id, false) !== true) throw new Error("requests are read by node's own code");
    return id;
  });
  return {
    read(connection, bytes) {
      silent.read(ids[connection] as number, bytes, 'Inbox');
    },
    taken: silent.taken,
  };
}

function serveHello({ read, taken }: MemoryServer): Operation {
  return serving(() => {
    read(0, HEAD);
  }, taken);
}

function byUwsgi(): Operation {
  const silent = createSilentEngine();
  const listener = listenerOn(silent);
  const delegate = acceptDelegateOf(listening(createUwsgiServer(hello)));
  const packet = uwsgiPacket();
  return serving(() => {
    const id = silent.accept();
    delegate?.take(listener, id, false);
    silent.read(id, packet, 'Lent');
  }, silent.taken);
}

export function servingHttp(): Rivals {
  return { 'node:net': () => serveHello(nodeInMemory(hello, 1)), native: () => serveHello(nearwireInMemory(hello, 1)) };
}

export function servingUwsgi(): Rivals {
  return { native: byUwsgi };
}
