/** What comes behind a request that is still to be answered, and clients that go away then: as with node:http itself. */
import { once } from 'node:events';
import * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  chunked,
  deferred,
  exchange,
  get,
  HOST,
  inbox,
  start,
  watchReports,
  ways,
  CLOSE,
} from '../support/fetch-servers.js';
import { cleanup, freshAddress, type Address } from '../support/sockets.js';

watchReports();

interface Told {
  server: http.Server;
  address: Address;
  /** `/wait` has been asked. */
  asked: Promise<void>;
  /** Its client is gone. */
  lost: Promise<void>;
  isLost(): boolean;
  /** Has the handler of `/wait` read its body to the end. */
  read(): void;
}

interface Subject {
  name: string;
  start(): Promise<Told>;
}

type Deferred = ReturnType<typeof deferred<void>>;

function toldOf(asked: Deferred, lost: Deferred, read: Deferred): Pick<Told, 'asked' | 'lost' | 'read'> {
  return {
    asked: asked.promise,
    lost: lost.promise,
    read: () => {
      read.resolve();
    },
  };
}

/** `/wait` is never answered, and all else at once. */
async function startNode(): Promise<Told> {
  const [asked, lost, read] = [deferred(), deferred(), deferred()];
  let isLost = false;
  const server = http.createServer((request, response) => {
    if (request.url !== '/wait') {
      response.end('done');
      return;
    }
    response.on('close', () => {
      isLost = true;
      lost.resolve();
    });
    void read.promise.then(() => request.on('error', () => undefined).resume());
    asked.resolve();
  });
  const address = freshAddress('unix');
  cleanup(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server.listen(address), 'listening');
  return { server, address, ...toldOf(asked, lost, read), isLost: () => isLost };
}

async function startServe(way: (typeof ways)[number]): Promise<Told> {
  const [asked, lost, read] = [deferred(), deferred(), deferred()];
  let isLost = false;
  const { server, address } = await start(way, async (request) => {
    if (!request.url.endsWith('/wait')) return new Response('done');
    request.signal.addEventListener('abort', () => {
      isLost = true;
      lost.resolve();
    });
    asked.resolve();
    await read.promise;
    await request.arrayBuffer();
    throw new Error('The body has come to its end');
  });
  return { server, address, ...toldOf(asked, lost, read), isLost: () => isLost };
}

const node: Subject = { name: 'node:http', start: startNode };

const subjects: Subject[] = [...ways.map((way) => ({ name: way.name, start: () => startServe(way) })), node];

const WAIT = get('/wait');

/** What may be read, and is not answered before `/wait` is. */
const BEHIND: Record<string, string> = {
  nothing: '',
  'a request': get('/'),
  'a chunked body': chunked('/', 'a'),
  'part of a chunked body': chunked('/', 'abc').slice(0, -8),
  'half a request line': 'GET / HT',
  'half a header block': `GET / HTTP/1.1\r\n${HOST}X-A: `,
  'more requests than are served at once': get('/').repeat(50),
};

const BAD = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';

/** What cannot be read, in one piece or several, and the answer. */
const UNREADABLE: Record<string, [pieces: string[], answer: string]> = {
  nonsense: [['NONSENSE\r\n\r\n'], BAD],
  'a header without a colon': [[`GET / HTTP/1.1\r\n${HOST}`, 'Bad\r\n\r\n'], BAD],
  'a bad chunk': [[chunked('/', 'abc').slice(0, -8), 'zz\r\n'], BAD],
  'two lengths': [[`POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`], BAD],
  'a long header': [
    [`GET / HTTP/1.1\r\n${HOST}X: `, 'x'.repeat(20_000)],
    'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n',
  ],
};

/** What a listener of 'clientError' is told of these, behind a request that is being answered. */
async function codesOf(subject: Subject, pieces: readonly string[]): Promise<unknown[]> {
  const { server, address, lost } = await subject.start();
  const codes: unknown[] = [];
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    codes.push(error.code);
    socket.end('own', () => {
      socket.destroy();
    });
  });
  const client = inbox(address);
  client.socket.write(WAIT + pieces.join(''));
  expect(await client.untilClosed()).toBe('own');
  await lost;
  return codes;
}

describe.each(subjects)('$name', (subject) => {
  describe.each(Object.entries(BEHIND))('behind a request that is being answered: %s', (_, behind) => {
    it.each(['destroys its socket', 'ends its side'] as const)('a client that %s is gone', async (how) => {
      const { address, asked, lost, isLost } = await subject.start();
      const client = inbox(address);
      client.socket.write(WAIT + behind);
      await asked;
      // All that it has sent has been read.
      for (let i = 0; i < 5; i++) await exchange(address, get('/', CLOSE));
      expect(isLost()).toBe(false);
      if (how === 'destroys its socket') client.socket.destroy();
      else client.socket.end();
      await lost;
      const text = await client.untilClosed();
      expect(['', BAD]).toContain(text);
    });
  });

  describe.each(Object.entries(UNREADABLE))('behind it: %s', (_, [pieces, answer]) => {
    it('is refused at once', async () => {
      const { address, asked, lost } = await subject.start();
      const client = inbox(address);
      client.socket.write(WAIT);
      await asked;
      for (const piece of pieces) {
        client.socket.write(piece);
        await exchange(address, get('/', CLOSE));
      }
      expect(await client.untilClosed()).toBe(answer);
      await lost;
    });

    it('is told to a listener, who answers', async () => {
      const told = await codesOf(subject, pieces);
      expect(told).toHaveLength(1);
      expect(told).toEqual(await codesOf(node, pieces));
    });
  });

  it('a client that goes away while its body is not read: nobody knows before it is read', async () => {
    const { address, asked, lost, isLost, read } = await subject.start();
    const client = inbox(address);
    client.socket.write(`POST /wait HTTP/1.1\r\n${HOST}Content-Length: 8000000\r\n\r\n${'x'.repeat(4_000_000)}`);
    await asked;
    for (let i = 0; i < 5; i++) await exchange(address, get('/', CLOSE));
    client.socket.destroy();
    await once(client.socket, 'close');
    for (let i = 0; i < 20; i++) await exchange(address, get('/', CLOSE));
    expect(isLost()).toBe(false);
    read();
    await lost;
  });
});
