/** Bodies of fetch handlers, both ways: long ones, unread ones, and those that are cut off. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  chunked,
  CLOSE,
  connect,
  dechunked,
  deferred,
  exchange,
  get,
  HOST,
  inbox,
  post,
  start,
  watchReports,
  ways,
} from '../support/fetch-servers.js';

watchReports();

describe.each(ways)('large responses: $name', (way) => {
  it('a slow client bounds what is pulled', async () => {
    let pulled = 0;
    const cancelled = deferred();
    const chunk = 16 * 1024;
    const { address } = await start(
      way,
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              pulled += chunk;
              controller.enqueue(new Uint8Array(chunk));
            },
            cancel: () => {
              cancelled.resolve();
            },
          }),
        ),
    );
    const client = connect(address);
    client.pause();
    client.write(get('/'));
    let before = -1;
    // Until nothing moves for a while of the loop's iterations.
    while (before !== pulled || pulled === 0) {
      before = pulled;
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(pulled).toBeLessThan(4 * 1024 * 1024);
    client.destroy();
    await cancelled.promise;
  });

  it('a long stream: all of it arrives', async () => {
    const piece = Buffer.alloc(70_001, 'ab');
    const { address } = await start(way, () => {
      let left = 60;
      return new Response(
        new ReadableStream({
          pull(controller) {
            if (left-- > 0) controller.enqueue(new Uint8Array(piece));
            else controller.close();
          },
        }),
      );
    });
    const text = await exchange(address, get('/', CLOSE));
    // Some nodes make one chunk of several.
    expect(dechunked(text.slice(text.indexOf('\r\n\r\n') + 4)) === piece.toString('latin1').repeat(60)).toBe(true);
  });

  it('a long text, to a client that reads late', async () => {
    const body = 'täxt'.repeat(1_000_000);
    const { address } = await start(way, () => new Response(body));
    const client = connect(address);
    client.pause();
    client.write(get('/') + get('/', CLOSE));
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    const chunks: Buffer[] = [];
    client.on('data', (piece: Buffer) => chunks.push(piece)).resume();
    await once(client, 'close');
    const text = Buffer.concat(chunks).toString();
    expect(text.length).toBeGreaterThan(2 * body.length);
    expect(text.endsWith(body)).toBe(true);
  });
});

describe.each(ways)('bodies: $name', (way) => {
  const large = 'x'.repeat(300_000);

  it.each([
    ['of a length', post('/', large)],
    ['in chunks', chunked('/', large)],
  ])('%s that nobody reads', async (_, text) => {
    const { address } = await start(way, () => new Response('answer'));
    const answer = await exchange(address, text + text + get('/', CLOSE));
    expect(answer.match(/answer/g)).toHaveLength(3);
  });

  it('that are read in part', async () => {
    const { address } = await start(way, async ({ body }) => {
      const first = await body?.getReader().read();
      return new Response(first?.value === undefined ? 'none' : 'some');
    });
    const answer = await exchange(address, post('/', large) + chunked('/', large) + get('/', CLOSE));
    expect(answer.match(/some|none/g)).toEqual(['some', 'some', 'none']);
  });

  it('that are cancelled', async () => {
    const { address } = await start(way, async ({ body }) => {
      await body?.cancel();
      return new Response('answer');
    });
    const answer = await exchange(address, post('/', large) + chunked('/', large) + get('/', CLOSE));
    expect(answer.match(/answer/g)).toHaveLength(3);
  });

  it('that are sent back as they come', async () => {
    const { address } = await start(way, ({ body }) => new Response(body));
    const client = inbox(address);
    client.socket.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 6\r\n\r\nabc`);
    await client.until('3\r\nabc\r\n');
    client.socket.write('def');
    await client.until('3\r\ndef\r\n0\r\n\r\n');
    client.socket.write(get('/'));
    await client.until('Content-Length: 0\r\n');
  });

  it('that are read late: the client is held back', async () => {
    const read = deferred();
    const { address } = await start(way, async (request) => {
      await read.promise;
      return new Response(String((await request.text()).length));
    });
    const client = inbox(address);
    const size = 8 * 1024 * 1024;
    client.socket.write(`POST / HTTP/1.1\r\n${HOST}${CLOSE}Content-Length: ${String(size)}\r\n\r\n`);
    client.socket.write(Buffer.alloc(size));
    let before = -1;
    while (before !== client.socket.writableLength) {
      before = client.socket.writableLength;
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(before).toBeGreaterThan(size / 2);
    read.resolve();
    expect(await client.untilClosed()).toContain(String(size));
  });

  it.each(['text', 'stream'])('whose client is cut off, read as a %s', async (how) => {
    const failure = deferred<unknown>();
    const started = deferred();
    const { address } = await start(way, async (request) => {
      started.resolve();
      try {
        if (how === 'text') await request.text();
        else
          for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) expect(chunk.length).toBe(3);
        failure.resolve(undefined);
      } catch (error) {
        failure.resolve(error);
      }
      return new Response('late');
    });
    const client = connect(address);
    client.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 6\r\n\r\nabc`);
    await started.promise;
    client.destroy();
    expect(await failure.promise).toBeInstanceOf(Error);
  });

  it('that the handler keeps are its own', async () => {
    const kept: Uint8Array[] = [];
    const { address } = await start(way, async (request) => {
      kept.push(new Uint8Array(await request.arrayBuffer()));
      return new Response('answer');
    });
    const texts = ['first', 'other', 'third'];
    for (const text of texts) await exchange(address, post('/', text, CLOSE));
    expect(kept.map((bytes) => Buffer.from(bytes).toString())).toEqual(texts);
    expect(kept.every(({ buffer }) => buffer.byteLength === 5)).toBe(true);
  });
});
