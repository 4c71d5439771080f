/** Fetch handlers that do what they should not: the same outcome in each way that serve() has. */
import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import type { ServeOptions } from 'nearwire/http';
import {
  CLOSE,
  connect,
  deferred,
  exchange,
  get,
  inbox,
  makers,
  never,
  start,
  watchReports,
  ways,
} from '../support/fetch-servers.js';
import { connectionsOf } from '../support/sockets.js';

const reports = watchReports();

type Make = (Maker: typeof Response) => unknown;

/** Handlers that fail before anything can be sent, and what is said of it. */
const FAILING: Record<string, [make: Make, report: RegExp]> = {
  throws: [
    () => {
      throw new Error('thrown');
    },
    /thrown/,
  ],
  rejects: [() => Promise.reject(new Error('rejected')), /rejected/],
  'returns nothing': [() => undefined, /has not returned a Response/],
  'returns a string': [() => 'text', /has not returned a Response/],
  'returns a likeness': [() => ({ status: 200, headers: new Headers(), body: null }), /has not returned a Response/],
  'returns an error': [(R) => R.error(), /status 0/],
  'returns a response that has been read': [
    async (R) => {
      const response = new R('text');
      await response.text();
      return response;
    },
    /has been read/,
  ],
  'returns a response that is being read': [
    (R) => {
      const response = new R('text');
      response.body?.getReader();
      return response;
    },
    /being read/,
  ],
  'returns a stream that fails at once': [
    (R) =>
      new R(
        new ReadableStream({
          start(controller) {
            controller.error(new Error('no stream'));
          },
        }),
      ),
    /no stream/,
  ],
  'returns a stream of strings': [
    (R) =>
      new R(
        new ReadableStream({
          start(controller) {
            controller.enqueue('text' as unknown as Uint8Array);
            controller.close();
          },
        }),
      ),
    /Uint8Array/,
  ],
};

describe.each(ways)('handlers: $name', (way) => {
  describe.each(makers)('$kind', ({ Maker }) => {
    it.each(Object.entries(FAILING))('that %s', async (_, [make, report]) => {
      const handler = ({ url }: Request): unknown => (url.endsWith('/bad') ? make(Maker) : new Maker('good'));
      const { address } = await start(way, handler as ServeOptions['fetch']);
      const text = await exchange(address, get('/good') + get('/bad') + get('/good', CLOSE));
      const answers = text.match(/HTTP\/1.1 \d+|\r\n\r\n[A-Za-z ]+?(?=HTTP|$)/g);
      const good = ['HTTP/1.1 200', '\r\n\r\ngood'];
      expect(answers).toEqual([...good, 'HTTP/1.1 500', '\r\n\r\nInternal Server Error', ...good]);
      expect(reports()).toEqual([expect.stringMatching(report)]);
    });

    it('that answer the same response twice', async () => {
      const response = new Maker('once');
      const { address } = await start(way, () => response);
      const text = await exchange(address, get('/') + get('/', CLOSE));
      expect(text).toMatch(/^HTTP\/1.1 200 [^]*onceHTTP\/1.1 500 /);
      expect(reports()).toEqual([expect.stringMatching(/has been read/)]);
    });

    it('that change the bytes of their response', async () => {
      const bytes = Buffer.from('before');
      const { address } = await start(way, async () => {
        bytes.write('before');
        const response = new Maker(bytes);
        bytes.fill('x');
        await Promise.resolve();
        return response;
      });
      expect(await exchange(address, get('/', CLOSE))).toMatch(/before$/);
    });
  });

  it('that fail are answered by `error`, which may fail as well', async () => {
    const error = (reason: unknown): Response => {
      const { message } = reason as Error;
      if (message === '/worse') throw new Error('worse');
      return new Response(`handled ${message}`, { status: 503 });
    };
    const { address } = await start(
      way,
      ({ url }) => {
        throw new Error(new URL(url).pathname);
      },
      { error },
    );
    const text = await exchange(address, get('/bad') + get('/worse', CLOSE));
    expect(text).toMatch(/^HTTP\/1.1 503 [^]*handled \/badHTTP\/1.1 500 /);
    expect(reports()).toEqual(['worse']);
  });

  it.each([
    ['too little', '10', /has 5 bytes, but its Content-Length is 10/],
    ['too much', '7', /has 10 bytes, but its Content-Length is 7/],
  ])('that give %s', async (_, length, report) => {
    let left = 0;
    const { address } = await start(way, () => {
      left = length === '10' ? 1 : 2;
      const body = new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setImmediate(resolve));
          if (left-- > 0) controller.enqueue(Buffer.from('12345'));
          else controller.close();
        },
      });
      return new Response(body, { headers: { 'Content-Length': length } });
    });
    const client = inbox(address);
    client.socket.write(get('/'));
    const text = await client.untilClosed();
    expect(text).toMatch(new RegExp(`Content-Length: ${length}\r\n[^]*\r\n\r\n12345$`));
    expect(reports()).toEqual([expect.stringMatching(report)]);
  });

  it('whose stream fails: the client does not see an end', async () => {
    const { address } = await start(
      way,
      () =>
        new Response(
          new ReadableStream({
            async pull(controller) {
              controller.enqueue(Buffer.from('part'));
              await new Promise((resolve) => setImmediate(resolve));
              controller.error(new Error('broken'));
            },
          }),
        ),
    );
    const client = inbox(address);
    client.socket.write(get('/'));
    expect(await client.untilClosed()).toMatch(/Transfer-Encoding: chunked[^]*\r\n\r\n4\r\npart\r\n$/);
    expect(reports()).toEqual(['broken']);
  });

  it.each(['at once', 'late'])(
    'whose stream fails behind its first piece, with an `error` that answers %s',
    async (when) => {
      const error = async (reason: unknown): Promise<Response> => {
        if (when === 'late') await new Promise((resolve) => setImmediate(resolve));
        return new Response(`handled ${(reason as Error).message}`);
      };
      const { address } = await start(
        way,
        () => {
          let isFirst = true;
          return new Response(
            new ReadableStream({
              pull(controller) {
                if (isFirst) controller.enqueue(Buffer.from('part'));
                else controller.error(new Error('second'));
                isFirst = false;
              },
            }),
          );
        },
        { error },
      );
      const text = await exchange(address, get('/') + get('/', CLOSE));
      expect(text.match(/HTTP\/1.1 200|part|handled second/g)).toEqual([
        ...['HTTP/1.1 200', 'handled second'],
        ...['HTTP/1.1 200', 'handled second'],
      ]);
    },
  );

  it('that never answer are told when the client goes away', async () => {
    const asked = deferred<Request>();
    const { address } = await start(way, (request) => {
      asked.resolve(request);
      return never;
    });
    const client = connect(address);
    client.write(get('/'));
    const { signal } = await asked.promise;
    expect(signal.aborted).toBe(false);
    const aborted = once(signal, 'abort');
    client.destroy();
    await aborted;
    expect(signal.reason).toMatchObject({ name: 'AbortError' });
  });

  it.each(['clone', 'new Request'])('whose copies are told behind the request itself: %s', async (how) => {
    const told: unknown[] = [];
    const [asked, copied] = [deferred(), deferred()];
    const { address } = await start(way, (request) => {
      const copy = how === 'clone' ? request.clone() : new Request(request);
      for (const { signal } of [copy, request]) {
        signal.addEventListener('abort', () => {
          told.push(signal === request.signal ? 'request' : 'copy', (signal.reason as Error).name, signal.aborted);
          if (signal === copy.signal) copied.resolve();
        });
      }
      asked.resolve();
      return never;
    });
    const client = connect(address);
    client.write(get('/'));
    await asked.promise;
    client.destroy();
    await copied.promise;
    expect(told).toEqual(['request', 'AbortError', true, 'copy', 'AbortError', true]);
  });

  it('whose copy of the request is told, too', async () => {
    const asked = deferred<Request>();
    const { address } = await start(way, (request) => {
      asked.resolve(new Request(request));
      return never;
    });
    const client = connect(address);
    client.write(get('/'));
    const { signal } = await asked.promise;
    const aborted = once(signal, 'abort');
    client.destroy();
    await aborted;
  });

  it('that ask for the signal when the client has gone', async () => {
    const asked = deferred<Request>();
    const { address, server } = await start(way, (request) => {
      asked.resolve(request);
      return never;
    });
    const client = connect(address);
    client.write(get('/'));
    const request = await asked.promise;
    client.destroy();
    while ((await connectionsOf(server)) > 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(request.signal.aborted).toBe(true);
  });

  it('are not told of a client that has its response', async () => {
    const signals: AbortSignal[] = [];
    const { address, server } = await start(way, (request) => {
      signals.push(request.signal);
      return new Response('x');
    });
    const client = inbox(address);
    client.socket.write(get('/'));
    await client.until('x');
    client.socket.destroy();
    while ((await connectionsOf(server)) > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });

  it('that answer after the client has gone: their stream is cancelled', async () => {
    const asked = deferred<Request>();
    const answer = deferred<Response>();
    const cancelled = deferred<unknown>();
    const { address } = await start(way, (request) => {
      asked.resolve(request);
      return answer.promise;
    });
    const client = connect(address);
    client.write(get('/'));
    const { signal } = await asked.promise;
    const aborted = once(signal, 'abort');
    client.destroy();
    await aborted;
    answer.resolve(new Response(new ReadableStream({ cancel: cancelled.resolve })));
    await cancelled.promise;
  });

  it('that fail after the client has gone are reported, unless they were told to stop', async () => {
    const asked = deferred<Request>();
    const { address } = await start(way, async (request) => {
      asked.resolve(request);
      await once(request.signal, 'abort');
      if (request.url.endsWith('/told')) request.signal.throwIfAborted();
      throw new Error('late');
    });
    const client = connect(address);
    client.write(get('/told'));
    const { signal } = await asked.promise;
    const aborted = once(signal, 'abort');
    client.destroy();
    await aborted;
    const second = connect(address);
    second.write(get('/late'));
    second.end();
    await vi.waitFor(() => {
      expect(reports()).toEqual(['late']);
    });
  });

  it('whose stream never ends, and does not heed being cancelled', async () => {
    const cancelled = deferred();
    let pulled = 0;
    const { address } = await start(
      way,
      () =>
        new Response(
          new ReadableStream({
            async pull(controller) {
              pulled++;
              controller.enqueue(new Uint8Array(100));
              await new Promise((resolve) => setImmediate(resolve));
            },
            cancel() {
              cancelled.resolve();
              return never;
            },
          }),
        ),
    );
    const client = inbox(address);
    client.socket.write(get('/'));
    await client.until('64\r\n');
    client.socket.destroy();
    await cancelled.promise;
    expect(pulled).toBeGreaterThan(0);
  });
});
