/** Listeners that throw while a request is read: the process hears of it, and nobody else's connection suffers. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { PLAIN_REQUEST } from '../support/conversations.js';
import { cleanup, listen, type Address } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

const HOST = 'Host: x\r\n';
const upload = (url: string): string => `POST ${url} HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`;

/** A connection that says what it wants to say, and remembers what it has been told. */
class Client {
  text = '';
  private readonly socket: Socket;

  constructor(address: Address) {
    this.socket = reference.connect(address);
    this.socket.setEncoding('latin1').on('data', (chunk: string) => (this.text += chunk));
    this.socket.on('error', () => undefined);
    cleanup(() => this.socket.destroy());
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  async heard(what: string): Promise<void> {
    while (!this.text.includes(what) && !this.socket.destroyed) await new Promise(setImmediate);
  }

  /** A connection is read by the addon from its third read on. */
  async warm(): Promise<void> {
    for (let i = 1; i <= 2; i++) {
      this.send(PLAIN_REQUEST);
      while (this.text.split('/before').length <= i) await once(this.socket, 'data');
    }
    this.text = '';
  }
}

type Listener = (request: http.IncomingMessage, response: http.ServerResponse) => void;

const THROWING: Record<string, Listener> = {
  "a listener of 'data'": (request) => {
    request.on('data', () => {
      throw new Error('thrown');
    });
  },
  "a listener of 'end'": (request) => {
    request.resume().on('end', () => {
      throw new Error('thrown');
    });
  },
  'a tick': (request) => {
    request.resume();
    process.nextTick(() => {
      throw new Error('thrown');
    });
  },
  'an error without a listener': (request) => {
    request.on('data', () => request.destroy(new Error('thrown')));
  },
  'a handler': () => {
    throw new Error('thrown');
  },
  'a handler that listens to the socket': ({ socket }) => {
    socket.on('data', () => undefined);
    throw new Error('thrown');
  },
  "a listener of 'data' that listens to the socket": (request) => {
    request.on('data', () => {
      request.socket.on('data', () => undefined);
      throw new Error('thrown');
    });
  },
  'a tick that listens to the socket': (request) => {
    request.on('data', () => {
      process.nextTick(() => {
        request.socket.on('data', () => undefined);
        throw new Error('thrown');
      });
    });
  },
};

interface Course {
  thrown: string[];
  /** What became of the next request. */
  seen: string[];
}

/** One request meets the listener, the next one comes on the same connection. */
async function meet(subject: Subject, family: Family, listener: Listener, warm: boolean): Promise<Course> {
  const thrown: string[] = [];
  const seen: string[] = [];
  onUncaught((error) => thrown.push(error.message));
  const server = subject.http.createServer({}, (request, response) => {
    if (request.url === '/throws') {
      if (listener === THROWING['an error without a listener'])
        request.on('error', (error) => thrown.push(error.message));
      listener(request, response);
    } else {
      if (request.url === '/next') seen.push('/next');
      request.resume().on('end', () => response.end(request.url));
    }
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    seen.push(String(error.code));
    socket.destroy();
  });
  const address = await listen(server, family);
  const client = new Client(address);
  if (warm) await client.warm();
  client.send(upload('/throws'));
  while (thrown.length === 0) await new Promise(setImmediate);
  client.send(upload('/next'));
  const other = new Client(address);
  other.send(upload('/other'));
  await other.heard('/other');
  while (seen.length === 0) await new Promise(setImmediate);
  return { thrown, seen };
}

describe.each(everyWay)('listeners that throw: $name over $family', ({ subject, family }) => {
  for (const [name, listener] of Object.entries(THROWING)) {
    it.each(['first', 'third'])(`${name} of a connection's %s request`, async (which) => {
      const expected = await meet(reference, family, listener, which === 'third');
      expect(expected.thrown).toContain('thrown');
      expect(await meet(subject, family, listener, which === 'third')).toEqual(expected);
    });
  }

  // node has whoever comes next suffer for it.
  it.runIf(subject.name === 'native')("takes what one connection throws for nobody else's", async () => {
    const thrown: string[] = [];
    onUncaught((error) => thrown.push(error.message));
    const server = subject.http.createServer({}, (request, response) => {
      if (request.url === '/throws') {
        // More than one: the first exception leaves the others to whoever comes next.
        for (let i = 0; i < 5; i++) {
          process.nextTick(() => {
            throw new Error('thrown');
          });
        }
      }
      request.resume().on('end', () => response.end(request.url));
    });
    const address = await listen(server, family);
    const thrower = new Client(address);
    const clients = Array.from({ length: 20 }, () => new Client(address));
    await Promise.all([thrower, ...clients].map((client) => client.warm()));
    thrower.send(upload('/throws'));
    for (const path of ['/fine', '/again']) {
      for (const client of clients) client.send(upload(path));
      await Promise.all(clients.map((client) => client.heard(path)));
    }
    expect(clients.filter(({ text }) => text.endsWith('/again'))).toHaveLength(clients.length);
    while (thrown.length < 5) await new Promise(setImmediate);
  });

  it('reports in the async context of a request that came with others', async () => {
    const meetThree = async ({ http }: Subject): Promise<unknown[]> => {
      const storage = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      onUncaught((error) => seen.push([error.message, storage.getStore()]));
      const server = http.createServer({}, (request, response) => {
        storage.enterWith(`of ${String(request.url)}`);
        if (request.url === '/second') throw new Error('thrown');
        request.resume().on('end', () => response.end(request.url));
      });
      const address = await listen(server, family);
      const client = new Client(address);
      await client.warm();
      client.send(['/first', '/second', '/third'].map(upload).join(''));
      while (seen.length === 0) await new Promise(setImmediate);
      client.send(upload('/next'));
      server.on('clientError', (error: NodeJS.ErrnoException) => seen.push(error.code));
      while (seen.length < 2) await new Promise(setImmediate);
      return seen;
    };
    const expected = await meetThree(reference);
    expect(await meetThree(subject)).toEqual(expected);
  });

  it("reports in the request's own async context", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    onUncaught(() => seen.push(storage.getStore()));
    const server = subject.http.createServer({}, (request, response) => {
      if (request.url === '/throws') {
        storage.enterWith('of the request');
        throw new Error('thrown');
      }
      response.end(request.url);
    });
    const address = await listen(server, family);
    for (const warm of [false, true]) {
      const client = new Client(address);
      if (warm) await client.warm();
      client.send(upload('/throws'));
      while (seen.length < (warm ? 2 : 1)) await new Promise(setImmediate);
    }
    expect(seen).toEqual(['of the request', 'of the request']);
  });
});
