/** `request()` against servers that do exactly what is told: every form of an answer, every way to fail. */
import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { request, type RequestOptions, type RequestTarget } from 'nearwire/uwsgi';
import { failure } from '../support/files.js';
import { cleanup, closed, listen, nextTurn, readBytes, socketPath } from '../support/sockets.js';

interface Scripted {
  to: RequestTarget;
  /** The server's end of the first connection. */
  accepted: Promise<Socket>;
}

describe.each(['native', 'js'] as const)('request() on %s', (transport) => {
  /** Does this with each connection, once something has come of the request. */
  async function serve(
    answer: (socket: Socket, got: Buffer) => unknown,
    family: 'unix' | 'tcp' = 'unix',
  ): Promise<Scripted> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (got: Buffer) => answer(socket, got));
    });
    const accepted = once(server, 'connection').then(([socket]) => socket as Socket);
    const address = await listen(server, family);
    const to = address.path === undefined ? { port: address.port ?? 0 } : { path: address.path };
    return { to: { ...to, transport }, accepted };
  }

  async function answered(bytes: string | Buffer, options?: RequestOptions) {
    const { to } = await serve((socket) => socket.end(bytes));
    const { body, ...head } = await request(to, options);
    return { ...head, text: await text(body) };
  }

  it('sends a packet whose every byte is known', async () => {
    const { to, accepted } = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    const got = accepted.then((socket) => readBytes(socket, 100));
    await request(to, {
      method: 'POST',
      url: '/a?b',
      headers: ['X-A', '1', 'x-a', '2'],
      body: 'hi',
      modifier1: 7,
      modifier2: 9,
      variables: {
        SERVER_NAME: undefined,
        REQUEST_SCHEME: undefined,
        SERVER_PROTOCOL: undefined,
        EXTRA: Buffer.of(0, 255),
      },
    });
    const variables = [
      ...['QUERY_STRING', 'b', 'REQUEST_METHOD', 'POST', 'REQUEST_URI', '/a?b', 'PATH_INFO', '/a', 'SERVER_PORT', '80'],
      ...['HTTP_HOST', 'localhost', 'CONTENT_LENGTH', '2', 'HTTP_X_A', '1, 2', 'EXTRA', '\0\xff'],
    ].map((part) => String.fromCharCode(part.length, 0) + part);
    const block = variables.join('');
    expect((await got).toString('latin1')).toBe(
      `\x07${String.fromCharCode(block.length & 255, block.length >> 8)}\x09${block}hi`,
    );
  });

  it.each<[string, string, object]>([
    [
      'HTTP/1.0',
      'HTTP/1.0 404 Not Found\r\nA: 1\r\n\r\nno',
      { statusCode: 404, statusMessage: 'Not Found', text: 'no' },
    ],
    ['no reason', 'HTTP/1.1 200\r\nA:1\r\n\r\n', { statusCode: 200, statusMessage: '', headers: { a: '1' } }],
    ['lines that end in LF', 'HTTP/1.1 200 OK\nA:  1 \nB:\n\n\n', { headers: { a: '1', b: '' }, text: '\n' }],
    ['no headers', 'HTTP/1.1 200 OK\r\n\r\nx', { rawHeaders: [], text: 'x' }],
    [
      'a Status',
      'Status: 418 Teapot\r\nA: 1\r\n\r\nx',
      { statusCode: 418, statusMessage: 'Teapot', rawHeaders: ['A', '1'] },
    ],
    ['a Status without a reason', 'A: 1\nStatus: 404\n\n', { statusCode: 404, statusMessage: 'Not Found' }],
    ['headers alone', 'Content-Type: text/plain\n\nx', { statusCode: 200, statusMessage: 'OK', text: 'x' }],
    ['a Location alone', 'Location: /x\n\n', { statusCode: 302, statusMessage: 'Found', headers: { location: '/x' } }],
    [
      'a Status behind a status line',
      'HTTP/1.1 200 OK\r\nStatus: 404\r\n\r\n',
      { statusCode: 200, headers: { status: '404' } },
    ],
    [
      'early hints',
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\n\r\nx',
      { statusCode: 200, rawHeaders: ['A', '1'], text: 'x' },
    ],
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcd', { text: 'ab' }],
    ['a length of nothing', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', { text: '' }],
    ['the same length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab', { text: 'ab' }],
    [
      'chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1;a="b"\r\nx\r\n0a \r\n0123456789\r\n0\r\nT: 1\r\n\r\n',
      { text: 'x0123456789' },
    ],
    [
      'a name of Object',
      'HTTP/1.1 200 OK\r\n__proto__: 1\r\nconstructor: 2\r\n\r\n',
      { rawHeaders: ['__proto__', '1', 'constructor', '2'] },
    ],
    [
      'headers of which the first stands',
      'HTTP/1.1 200 OK\r\nAge: 1\r\nAge: 2\r\nVia: 1\r\nVia: 2\r\n\r\n',
      { headers: { age: '1', via: '1, 2' } },
    ],
  ])('reads an answer with %s, whole and byte by byte', async (_name, bytes, expected) => {
    expect(await answered(bytes)).toMatchObject(expected);
    const { to } = await serve(async (socket) => {
      for (const byte of Buffer.from(bytes, 'latin1')) {
        socket.write(Buffer.of(byte));
        await nextTurn();
      }
      socket.end();
    });
    const { body, ...head } = await request(to);
    expect({ ...head, text: await text(body) }).toMatchObject(expected);
  });

  it.each([
    ['a known length', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n'],
    ['no length', 'HTTP/1.1 200 OK\r\n\r\nabcdef'],
  ])("gives chunks that are a program's own, of an answer with %s", async (_name, bytes) => {
    const { to } = await serve((socket) => socket.end(bytes));
    const { body } = await request(to);
    let got = '';
    body.on('data', ({ buffer, byteOffset, length }: Buffer) => {
      expect([byteOffset, buffer.byteLength]).toEqual([0, length]);
      got += Buffer.from(structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })).toString();
    });
    await once(body, 'end');
    expect(got).toBe('abcdef');
  });

  it.each<[string, string]>([
    ['a status line of another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a status that is no number', 'HTTP/1.1 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 X\r\n\r\n'],
    ['a Status that is none', 'Status: fine\r\n\r\n'],
    ['no colon', 'HTTP/1.1 200 OK\r\nhello\r\n\r\n'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nA: 1\r\n 2\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nA : 1\r\n\r\n'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nA: \0\r\n\r\n'],
    ['a CR alone', 'HTTP/1.1 200 OK\r\nA: 1\rB: 2\r\n\r\n'],
    ['nothing but an empty line', '\r\n\r\n'],
    ['a uwsgi packet', '\x64\x04\x00\x01pong\n\n'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['two lengths in one', 'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\ncontent-length: 0\r\n\r\n0\r\n\r\n'],
    ['another transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
  ])('refuses an answer with %s', async (_name, bytes) => {
    await expect(answered(bytes)).rejects.toMatchObject({ code: 'ERR_NEARWIRE_UWSGI_BAD_RESPONSE' });
  });

  it.each<[string, string, string]>([
    ['a size that is none', 'x\r\n', 'ERR_NEARWIRE_UWSGI_BAD_RESPONSE'],
    ['a size that no number can hold', 'fffffffffffffff\r\n', 'ERR_NEARWIRE_UWSGI_BAD_RESPONSE'],
    ['more than its size', '1\r\nab\r\n', 'ERR_NEARWIRE_UWSGI_BAD_RESPONSE'],
    ['a line without an end', '1'.repeat(10_000), 'ERR_NEARWIRE_UWSGI_BAD_RESPONSE'],
    ['trailers without an end', `0\r\n${'T: 1234567890\r\n'.repeat(2000)}`, 'ERR_NEARWIRE_UWSGI_BAD_RESPONSE'],
    ['less than its size', '5\r\nab', 'ERR_NEARWIRE_SHORT_BODY'],
    ['no last chunk', '2\r\nab\r\n', 'ERR_NEARWIRE_SHORT_BODY'],
  ])('refuses a chunk with %s', async (_name, bytes, code) => {
    const answer = answered(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${bytes}`);
    await expect(answer).rejects.toMatchObject({ code });
  });

  it('has bounds for what it holds of a head', async () => {
    const head = (bytes: number): string => `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(bytes - 24)}\r\n\r\n`;
    expect(await answered(`${head(16_384)}body`)).toMatchObject({ text: 'body' });
    const code = 'ERR_NEARWIRE_UWSGI_HEADERS_TOO_LARGE';
    await expect(answered(head(16_385))).rejects.toMatchObject({ code });
    await expect(answered('x'.repeat(20_000))).rejects.toMatchObject({ code });
    await expect(answered(head(200), { maxHeaderSize: 199 })).rejects.toMatchObject({ code });
    expect(await answered(head(100_000), { maxHeaderSize: 100_000 })).toMatchObject({ statusCode: 200 });
    await expect(answered('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000))).rejects.toMatchObject({ code });
  });

  it.each(['', 'HTTP/1.1 200 OK\r\nA: 1\r\n'])('tells of a server that closes behind %j', async (bytes) => {
    await expect(answered(bytes)).rejects.toMatchObject({ code: 'ERR_NEARWIRE_UWSGI_NO_RESPONSE' });
  });

  it('tells of a connection that was reset', async () => {
    const { to } = await serve((socket) => socket.resetAndDestroy(), 'tcp');
    await expect(request(to)).rejects.toMatchObject({
      code: 'ERR_NEARWIRE_UWSGI_NO_RESPONSE',
      cause: { code: 'ECONNRESET' },
    });
    const { to: later, accepted } = await serve((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nsome'), 'tcp');
    const { body } = await request(later);
    const [some] = (await once(body, 'data')) as [Buffer];
    (await accepted).resetAndDestroy();
    await expect(text(body)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(some.toString()).toBe('some');
  });

  it('tells why it could not connect', async () => {
    const path = socketPath('nobody.sock');
    await expect(request({ path, transport })).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'connect',
      address: path,
    });
    const { to } = await serve(() => undefined, 'tcp');
    const { port } = to as { port: number };
    await expect(request({ host: 'localhost.invalid', port, transport })).rejects.toMatchObject({
      syscall: 'getaddrinfo',
    });
  });

  it('finds a host by its name', async () => {
    const { to } = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'), 'tcp');
    const { port } = to as { port: number };
    expect(await request({ host: 'localhost', port, transport })).toMatchObject({ statusCode: 200 });
  });

  it('closes the connection when the body is complete, destroyed, or the call aborted', async () => {
    const complete = await serve((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab'));
    expect(await text((await request(complete.to)).body)).toBe('ab');
    await once(await complete.accepted, 'end');

    const destroyed = await serve((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nab'));
    const { body } = await request(destroyed.to);
    body.destroy();
    await once(await destroyed.accepted, 'end');

    const silent = await serve(() => undefined);
    const controller = new AbortController();
    const aborted = failure(request(silent.to, { signal: controller.signal }));
    const socket = await silent.accepted;
    controller.abort();
    await once(socket.resume(), 'end');
    expect(await aborted).toMatchObject({ name: 'AbortError' });
  });

  describe('the body of a request', () => {
    const length = { 'Content-Length': 10 };

    it('must have the length that it is said to have', async () => {
      const code = 'ERR_HTTP_CONTENT_LENGTH_MISMATCH';
      const { to } = await serve(() => undefined);
      for (const body of ['x', Readable.from(['x']), Readable.from(['12345', '1234567']), undefined]) {
        await expect(request(to, { headers: length, body })).rejects.toMatchObject({ code });
      }
    });

    it('is gathered up to a limit', async () => {
      const { to } = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
      const source = Readable.from(['12345', '678901']);
      const options = { method: 'POST', body: source, maxBodySize: 10 };
      await expect(request(to, options)).rejects.toMatchObject({ code: 'ERR_NEARWIRE_BODY_TOO_LARGE' });
      expect(source.destroyed).toBe(true);
      expect(await request(to, { ...options, body: Readable.from(['12345', '67890']) })).toMatchObject({
        statusCode: 200,
      });
    });

    it('fails the call with what it fails with, before and while it is sent', async () => {
      async function* broken(): AsyncGenerator<string> {
        yield '12345';
        await nextTurn();
        throw new Error('the disk is gone');
      }
      const { to } = await serve(() => undefined);
      await expect(request(to, { body: broken() })).rejects.toThrow('the disk is gone');
      await expect(request(to, { body: broken(), headers: length })).rejects.toThrow('the disk is gone');
      const odd = Readable.from([{}]);
      await expect(request(to, { body: odd, headers: length })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    });

    it('may be a stream that is aborted while it is gathered', async () => {
      const { to } = await serve(() => undefined);
      const controller = new AbortController();
      const source = new Readable({ read: () => undefined });
      const call = failure(request(to, { body: source, signal: controller.signal }));
      await nextTurn();
      controller.abort();
      expect(await call).toMatchObject({ name: 'AbortError' });
      expect(source.destroyed).toBe(true);
    });

    it('is sent as fast as the server reads, and no faster', async () => {
      let pulled = 0;
      const bytes = 30_000_000;
      const source = new Readable({
        read() {
          pulled += 100_000;
          this.push(pulled > bytes ? null : Buffer.alloc(100_000));
        },
      });
      let got = 0;
      const { to, accepted } = await serve((socket, first) => {
        got = first.length;
        socket.pause();
      });
      const call = request(to, { method: 'POST', body: source, headers: { 'Content-Length': bytes } });
      const socket = await accepted;
      // What the kernel takes, and what a stream holds: it stops by itself.
      for (let before = -1; before < pulled || pulled === 0;) {
        before = pulled;
        for (let i = 0; i < 20; i++) await nextTurn();
      }
      expect(pulled).toBeLessThan(10_000_000);
      socket.on('data', (chunk: Buffer) => {
        got += chunk.length;
        if (got > bytes) socket.end('HTTP/1.1 200 OK\r\n\r\n');
      });
      socket.resume();
      expect(await call).toMatchObject({ statusCode: 200 });
      expect(got).toBeGreaterThan(bytes);
    });

    it('is let go of when the answer is complete before it is', async () => {
      const { to } = await serve((socket) => socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno'));
      const source = new Readable({ read: () => undefined });
      source.push('12345');
      const { statusCode, body } = await request(to, { body: source, headers: length });
      expect([statusCode, await text(body)]).toEqual([413, 'no']);
      expect(source.destroyed).toBe(true);
      // The client of this one is still to be answered.
      const message = new IncomingMessage({} as Socket);
      message.push('12345');
      const again = await request(to, { body: message, headers: length });
      expect(await text(again.body)).toBe('no');
      expect(message.destroyed).toBe(false);
    });
  });

  describe('time', () => {
    /** The clock moves when it is told to; sockets go on as ever. */
    function stopClock(): void {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      cleanup(() => vi.useRealTimers());
    }

    it('is given to the head: a minute, counted when the server has all', async () => {
      stopClock();
      const { to, accepted } = await serve(() => undefined);
      const source = new Readable({ read: () => undefined });
      const options = { method: 'POST', headers: { 'Content-Length': 2 }, body: source };
      const call = failure(request(to, options));
      const socket = await accepted;
      await once(socket, 'data');
      // Our own side is slow: that is not the server's fault.
      vi.advanceTimersByTime(1_000_000);
      source.push('ab');
      source.push(null);
      await once(socket, 'data');
      await nextTurn();
      vi.advanceTimersByTime(59_999);
      const over = closed(socket);
      let early = true;
      void call.then(() => (early = false));
      await nextTurn();
      expect(early).toBe(true);
      vi.advanceTimersByTime(1);
      expect(await call).toMatchObject({ code: 'ERR_NEARWIRE_HEADERS_TIMEOUT' });
      socket.end();
      await over;
    });

    it('is given to the body from piece to piece, and does not run while nobody reads', async () => {
      stopClock();
      const { to, accepted } = await serve((socket) =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\na'),
      );
      const { body } = await request(to, { bodyTimeout: 1000 });
      const socket = await accepted;
      let got = 0;
      body.on('data', (chunk: Buffer) => (got += chunk.length));
      for (let i = 0; i < 5; i++) {
        await expect.poll(() => got, { interval: 1 }).toBe(i + 1);
        vi.advanceTimersByTime(900);
        socket.write('a');
      }
      body.pause();
      socket.write(Buffer.alloc(1_000_000));
      while (body.readableLength < body.readableHighWaterMark) await nextTurn();
      for (let i = 0; i < 20; i++) await nextTurn();
      vi.advanceTimersByTime(1_000_000);
      expect(body.destroyed).toBe(false);
      body.resume();
      while (got < 1_000_006) await nextTurn();
      vi.advanceTimersByTime(1000);
      await expect(once(body, 'end')).rejects.toMatchObject({ code: 'ERR_NEARWIRE_BODY_TIMEOUT' });
    });

    it('may be unlimited', async () => {
      stopClock();
      const { to, accepted } = await serve((socket) => socket.write('HTTP/1.1 200 OK\r\n'));
      const call = request(to, { headersTimeout: 0, bodyTimeout: 0 });
      const socket = await accepted;
      await once(socket, 'data');
      expect(vi.getTimerCount()).toBe(0);
      socket.write('\r\n');
      const { body } = await call;
      expect(vi.getTimerCount()).toBe(0);
      socket.end('x');
      expect(await text(body)).toBe('x');
    });
  });

  it.each<[string, object, string]>([
    ['no options', null as never, 'ERR_INVALID_ARG_TYPE'],
    ['a method that is no string', { method: 1 }, 'ERR_INVALID_ARG_TYPE'],
    ['a method with a space', { method: 'GET /' }, 'ERR_INVALID_ARG_VALUE'],
    ['a url that is no string', { url: new URL('http://a/') }, 'ERR_INVALID_ARG_TYPE'],
    ['a url with a host', { url: 'http://a/' }, 'ERR_INVALID_ARG_VALUE'],
    ['a url with a space', { url: '/a b' }, 'ERR_INVALID_ARG_VALUE'],
    ['headers that are none', { headers: 'A: 1' }, 'ERR_INVALID_ARG_TYPE'],
    ['an odd list of headers', { headers: ['A'] }, 'ERR_INVALID_ARG_VALUE'],
    ['a header that is an object', { headers: { a: {} } }, 'ERR_INVALID_ARG_TYPE'],
    ['a header of two lines', { headers: { a: '1\r\nb: 2' } }, 'ERR_INVALID_CHAR'],
    ['a header beyond latin1', { headers: { a: '€' } }, 'ERR_INVALID_CHAR'],
    ['a length that is none', { headers: { 'content-length': 'x' } }, 'ERR_INVALID_ARG_VALUE'],
    ['two lengths', { headers: { 'content-length': ['1', '1'] }, body: 'x' }, 'ERR_INVALID_ARG_VALUE'],
    ['variables that are none', { variables: 1 }, 'ERR_INVALID_ARG_TYPE'],
    ['a variable that is an object', { variables: { A: {} } }, 'ERR_INVALID_ARG_TYPE'],
    ['a variable beyond latin1', { variables: { A: '€' } }, 'ERR_INVALID_CHAR'],
    ['a variable without a name', { variables: { '': 'x' } }, 'ERR_INVALID_ARG_VALUE'],
    ['a modifier of two bytes', { modifier1: 256 }, 'ERR_OUT_OF_RANGE'],
    ['a modifier that is no number', { modifier2: '1' }, 'ERR_INVALID_ARG_TYPE'],
    ['a body that is a number', { body: 7 }, 'ERR_INVALID_ARG_TYPE'],
    ['a limit below nothing', { maxBodySize: -1 }, 'ERR_OUT_OF_RANGE'],
    ['a head of no bytes', { maxHeaderSize: 0 }, 'ERR_OUT_OF_RANGE'],
    ['a timeout that is no number', { headersTimeout: '1s' }, 'ERR_INVALID_ARG_TYPE'],
    ['a timeout beyond all', { bodyTimeout: 2 ** 31 }, 'ERR_OUT_OF_RANGE'],
    ['a signal that is none', { signal: {} }, 'ERR_INVALID_ARG_TYPE'],
    ['a long variable', { variables: { A: 'x'.repeat(65_536) } }, 'ERR_NEARWIRE_UWSGI_VARIABLES_TOO_LARGE'],
    [
      'many variables',
      { headers: { a: 'x'.repeat(40_000), b: 'x'.repeat(30_000) } },
      'ERR_NEARWIRE_UWSGI_VARIABLES_TOO_LARGE',
    ],
  ])('rejects %s, and connects nowhere', async (_name, options, code) => {
    await expect(request({ path: '/nowhere', transport }, options)).rejects.toMatchObject({ code });
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['no path and no port', {}, 'ERR_MISSING_ARGS'],
    ['a path and a host', { path: '/a', host: 'localhost' }, 'ERR_INVALID_ARG_VALUE'],
    ['a host that is a number', { host: 1, port: 1 }, 'ERR_INVALID_ARG_TYPE'],
    ['a patience below nothing', { path: '/a', connectTimeout: -1 }, 'ERR_OUT_OF_RANGE'],
  ])('rejects a target of %s', async (_name, target, code) => {
    const there = typeof target === 'object' ? { transport, ...target } : target;
    await expect(request(there as RequestTarget)).rejects.toMatchObject({ code });
  });
});
