/** What comes behind a request that is still to be answered, and clients that go away then: as with node:http itself. */
import { once } from 'node:events';
import * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  chunked,
  deferred,
  type Deferred,
  exchange,
  get,
  HOST,
  inbox,
  post,
  start,
  watchReports,
  ways,
  CLOSE,
} from '../support/fetch-servers.js';
import { cleanup, freshAddress, nextTurn, passTime, type Address } from '../support/sockets.js';

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
  /** Has it answer, `<waited>`. */
  answer(): void;
}

/** What a test has the handler of `/wait` do in the end. */
type Next = 'read' | 'answer';

interface Subject {
  name: string;
  start(): Promise<Told>;
}

function toldOf(
  asked: Deferred<void>,
  lost: Deferred<void>,
  next: Deferred<Next>,
): Pick<Told, 'asked' | 'lost' | Next> {
  return {
    asked: asked.promise,
    lost: lost.promise,
    read: () => {
      next.resolve('read');
    },
    answer: () => {
      next.resolve('answer');
    },
  };
}

const CHECKED = { connectionsCheckingInterval: 10 };

/** `/wait` is answered when a test wants it, and all else at once. */
async function startNode(): Promise<Told> {
  const [asked, lost, next] = [deferred(), deferred(), deferred<Next>()];
  let isLost = false;
  const server = http.createServer(CHECKED, (request, response) => {
    if (request.url !== '/wait') {
      response.end('done');
      return;
    }
    response.on('close', () => {
      isLost = true;
      lost.resolve();
    });
    void next.promise.then((what) => {
      if (what === 'read') request.on('error', () => undefined).resume();
      else response.end('<waited>');
    });
    asked.resolve();
  });
  const address = freshAddress('unix');
  cleanup(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server.listen(address), 'listening');
  return { server, address, ...toldOf(asked, lost, next), isLost: () => isLost };
}

async function startServe(way: (typeof ways)[number]): Promise<Told> {
  const [asked, lost, next] = [deferred(), deferred(), deferred<Next>()];
  let isLost = false;
  const handle = async (request: Request): Promise<Response> => {
    if (!request.url.endsWith('/wait')) return new Response('done');
    request.signal.addEventListener('abort', () => {
      isLost = true;
      lost.resolve();
    });
    asked.resolve();
    if ((await next.promise) === 'answer') return new Response('<waited>');
    await request.arrayBuffer();
    throw new Error('The body has come to its end');
  };
  const { server, address } = await start(way, handle, CHECKED);
  return { server, address, ...toldOf(asked, lost, next), isLost: () => isLost };
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

const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';
const TIME_CODE = 'ERR_HTTP_REQUEST_TIMEOUT';

/** Requests of which the last bytes are missing, and these. */
const INCOMPLETE: Record<string, [part: string, rest: string]> = {
  'half a request line': ['GET / HT', `TP/1.1\r\n${HOST}\r\n`],
  'half a header block': [`GET / HTTP/1.1\r\n${HOST}X-A: `, 'a\r\n\r\n'],
  'a request, and half of another': [`${get('/')}GET / HTTP/1.1\r\n`, `${HOST}\r\n`],
  'part of a chunked body': [chunked('/', 'abc').slice(0, -8), chunked('/', 'abc').slice(-8)],
  'part of a body': [post('/', 'abc').slice(0, -1), 'c'],
};

/** What has not arrived by now is late. */
function hurry(server: http.Server): void {
  Object.assign(server, { headersTimeout: 1, requestTimeout: 1 });
}

function wait(server: http.Server): void {
  Object.assign(server, { headersTimeout: 0, requestTimeout: 0 });
}

/** All that had been sent to the server has been read. */
async function isRead(address: Address): Promise<void> {
  for (let i = 0; i < 3; i++) await exchange(address, get('/', CLOSE));
}

describe.each(subjects)('behind a request that is being answered, and never complete: $name', (subject) => {
  describe.each(Object.entries(INCOMPLETE))('%s', (_, [part, rest]) => {
    it('is refused by its time', async () => {
      const { server, address, asked, lost } = await subject.start();
      const client = inbox(address);
      client.socket.write(WAIT + part);
      await asked;
      await isRead(address);
      hurry(server);
      expect(await client.untilClosed()).toBe(TIMED_OUT);
      await lost;
    });

    it('is told to a listener once, and still answered if that keeps the connection', async () => {
      const { server, address, asked, isLost, answer } = await subject.start();
      const told: unknown[] = [];
      server.on('clientError', (error: NodeJS.ErrnoException) => told.push(error.code));
      const client = inbox(address);
      client.socket.write(WAIT + part);
      await asked;
      await isRead(address);
      hurry(server);
      while (told.length === 0) await nextTurn();
      // It has been looked at once more when a later one has been refused.
      const other = inbox(address);
      while (told.length === 1) await nextTurn();
      expect(told).toEqual([TIME_CODE, TIME_CODE]);
      other.socket.destroy();
      wait(server);
      expect(isLost()).toBe(false);
      client.socket.write(rest);
      await isRead(address);
      answer();
      await client.until('<waited>');
      await client.until('done');
      expect(told).toHaveLength(2);
    });
  });

  it('is refused by requestTimeout if the head has come, not by headersTimeout', async () => {
    const { server, address, asked } = await subject.start();
    const client = inbox(address);
    client.socket.write(WAIT + chunked('/', 'abc').slice(0, -8));
    await asked;
    await isRead(address);
    Object.assign(server, { headersTimeout: 1 });
    expect(await inbox(address).untilClosed()).toBe(TIMED_OUT);
    expect([client.text, client.socket.destroyed]).toEqual(['', false]);
    Object.assign(server, { requestTimeout: 1 });
    expect(await client.untilClosed()).toBe(TIMED_OUT);
  });

  it('is refused though it comes byte by byte', async () => {
    const { server, address, asked } = await subject.start();
    const client = inbox(address);
    client.socket.write(`${WAIT}GET / HTTP/1.1\r\n${HOST}X: `);
    await asked;
    Object.assign(server, { headersTimeout: 30 });
    while (!client.socket.destroyed) {
      client.socket.write('x');
      await nextTurn();
    }
    expect([TIMED_OUT, '']).toContain(client.text);
  });

  it.each(['', '\r\n', get('/')])('%j is not late', async (behind) => {
    const { server, address, asked, isLost, answer } = await subject.start();
    const client = inbox(address);
    client.socket.write(WAIT + behind);
    await asked;
    await isRead(address);
    hurry(server);
    for (let i = 0; i < 2; i++) expect(await inbox(address).untilClosed()).toBe(TIMED_OUT);
    expect(isLost()).toBe(false);
    answer();
    await client.until('<waited>');
  });
});

/** As before, and what is read anew when the request before is over. */
const BEGUN = {
  ...Object.fromEntries(Object.entries(INCOMPLETE).map(([name, [part]]) => [name, part])),
  'a chunked body, and half a request line': `${chunked('/', 'a')}GET / HT`,
  'more requests than are served at once, and half a request line': `${get('/').repeat(50)}GET / HT`,
  'more requests than are served at once, and part of a body': get('/').repeat(50) + post('/', 'abc').slice(0, -1),
};

describe.each(subjects)('begun behind a request that is answered in the end: $name', (subject) => {
  describe.each(Object.entries(BEGUN))('%s', (_, part) => {
    it('is refused by its time from its first byte on', async () => {
      const { server, address, asked, answer } = await subject.start();
      const first = inbox(address);
      first.socket.write(WAIT + part);
      await asked;
      await isRead(address);
      await passTime(100);
      const second = inbox(address);
      second.socket.write(part);
      await passTime(50);
      // Counted from here on, the first would be refused later than the second.
      answer();
      await first.until('<waited>');
      Object.assign(server, { headersTimeout: 400, requestTimeout: 400 });
      expect(await second.untilClosed()).toContain(TIMED_OUT);
      await isRead(address);
      expect(first.text).toContain(TIMED_OUT);
    });

    it('is told to a listener once', async () => {
      const { server, address, asked, answer } = await subject.start();
      const told: unknown[] = [];
      server.on('clientError', (_error, socket) => told.push(socket));
      const client = inbox(address);
      client.socket.write(WAIT + part);
      await asked;
      await isRead(address);
      hurry(server);
      while (told.length === 0) await nextTurn();
      answer();
      await client.until('<waited>');
      // All that is late is looked at before each of these is told.
      for (let others = 1; others <= 3; others++) {
        inbox(address);
        while (new Set(told).size <= others) await nextTurn();
      }
      expect(told.filter((socket) => socket === told[0])).toHaveLength(1);
    });
  });

  it('is read, when its rest has come, and has its time again from the next message on', async () => {
    const { server, address, asked, answer } = await subject.start();
    let told = 0;
    server.on('clientError', () => told++);
    const client = inbox(address);
    client.socket.write(`${WAIT}GET / HT`);
    await asked;
    await isRead(address);
    answer();
    await client.until('<waited>');
    client.socket.write(`TP/1.1\r\n${HOST}\r\n${chunked('/', 'abc').slice(0, -8)}`);
    await client.until('done');
    await isRead(address);
    hurry(server);
    while (told === 0) await nextTurn();
    wait(server);
    client.socket.write(chunked('/', 'abc').slice(-8));
    await client.until('done');
  });

  it('is closed with all connections', async () => {
    const { server, address, asked, answer } = await subject.start();
    const client = inbox(address);
    client.socket.write(`${WAIT}GET / HT`);
    await asked;
    await isRead(address);
    answer();
    await client.until('<waited>');
    server.closeAllConnections();
    expect(await client.untilClosed()).toBe('');
  });
});

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
