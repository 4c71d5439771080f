/** `request()` against a real uWSGI, on both transports. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer, json, text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { request, type RequestTarget } from 'nearwire/uwsgi';
import { requireOrSkip } from '../support/requirements.js';
import { pattern } from '../support/sockets.js';
import { startUwsgi, type UwsgiServer } from '../support/uwsgi/server.js';

const command = requireOrSkip('uwsgi');

const WAYS = (['native', 'js'] as const).flatMap((transport) =>
  (['unix', 'tcp'] as const).map((family) => ({ transport, family })),
);

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Counts up to 255 and begins anew, as the application does. */
function counted(length: number): Buffer {
  return Buffer.alloc(
    length,
    Uint8Array.from({ length: 256 }, (_, i) => i),
  );
}

describe.skipIf(command === undefined).each(WAYS)('a real uWSGI on $transport, $family', ({ transport, family }) => {
  async function start(more: readonly string[] = []): Promise<{ to: RequestTarget; server: UwsgiServer }> {
    const server = await startUwsgi(command ?? '', more);
    const to = family === 'unix' ? { path: server.path, transport } : { port: server.port, transport };
    return { to, server };
  }

  it('gets the variables that nginx would send, and gives the answer as node:http would', async () => {
    const { to } = await start();
    const { statusCode, statusMessage, headers, rawHeaders, body } = await request(to, {
      url: '/environ/a%20b/%C3%BC/%zz?q=%20&r',
      headers: {
        Host: 'example.org:8080',
        'X-Several': ['one', 'two'],
        Cookie: ['a=1', 'b=2'],
        'X-Number': 7,
        'X-Latin': 'grün',
        'X-Absent': undefined,
        X_User: 'forged',
        Proxy: 'http://evil',
        'Content-Type': 'text/plain',
      },
      variables: {
        REMOTE_ADDR: '10.0.0.9',
        REMOTE_USER: Buffer.from('jürgen'),
        SERVER_PORT: 443,
        SERVER_NAME: 'other',
      },
    });
    expect({ statusCode, statusMessage }).toEqual({ statusCode: 200, statusMessage: 'OK' });
    expect(rawHeaders).toEqual([
      ...['Content-Type', 'application/json', 'X-Twice', 'a', 'X-Twice', 'b'],
      ...['Set-Cookie', 'a=1; Path=/', 'Set-Cookie', 'b=2'],
    ]);
    expect(headers).toEqual({
      'content-type': 'application/json',
      'x-twice': 'a, b',
      'set-cookie': ['a=1; Path=/', 'b=2'],
    });
    const seen = (await json(body)) as Record<string, string>;
    expect(seen).toMatchObject({
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/environ/a%20b/%C3%BC/%zz?q=%20&r',
      // WSGI has bytes as characters.
      PATH_INFO: Buffer.from('/environ/a b/ü/%zz').toString('latin1'),
      QUERY_STRING: 'q=%20&r',
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_NAME: 'other',
      SERVER_PORT: '443',
      REMOTE_ADDR: '10.0.0.9',
      REMOTE_USER: Buffer.from('jürgen').toString('latin1'),
      CONTENT_TYPE: 'text/plain',
      HTTP_HOST: 'example.org:8080',
      HTTP_X_SEVERAL: 'one, two',
      HTTP_COOKIE: 'a=1; b=2',
      HTTP_X_NUMBER: '7',
      HTTP_X_LATIN: 'grün',
    });
    for (const name of ['HTTP_X_USER', 'HTTP_PROXY', 'HTTP_CONTENT_TYPE', 'HTTP_X_ABSENT', 'CONTENT_LENGTH']) {
      expect(seen).not.toHaveProperty(name);
    }
  });

  it('sends bodies: bytes, text, and streams of known and of unknown length', async () => {
    const { to } = await start();
    const bytes = pattern(700_000);
    const pieces = (): Readable =>
      Readable.from([bytes.subarray(0, 10), bytes.subarray(10, 300_000), bytes.subarray(300_000)]);
    const length = { 'Content-Length': bytes.length };
    const calls = [
      { body: bytes },
      { body: bytes, headers: length },
      { body: pieces(), headers: length },
      { body: pieces() },
    ];
    for (const call of calls) {
      const { statusCode, body } = await request(to, { method: 'POST', url: '/digest', ...call });
      expect([statusCode, await text(body)]).toEqual([201, `700000 ${sha(bytes)}`]);
    }
    const grüße = await request(to, { method: 'PUT', url: '/digest', body: 'grüße' });
    expect(await text(grüße.body)).toBe(`7 ${sha(Buffer.from('grüße'))}`);
    const nothing = await request(to, { method: 'POST', url: '/digest', body: Readable.from([]) });
    expect(await text(nothing.body)).toBe(`0 ${sha(Buffer.alloc(0))}`);
  });

  it('reads bodies of any size, with and without their length, whatever the pace', async () => {
    const { to } = await start();
    for (const bytes of [0, 1, 65_536, 1_000_000, 5_000_000]) {
      for (const length of ['yes', 'no']) {
        const { body } = await request(to, { url: `/count?bytes=${String(bytes)}&length=${length}` });
        const chunks: Buffer[] = [];
        for await (const chunk of body as AsyncIterable<Buffer>) {
          chunks.push(chunk);
          // Slower than the server: reading stops and goes on.
          await new Promise(setImmediate);
        }
        expect(Buffer.concat(chunks).equals(counted(bytes))).toBe(true);
      }
    }
  });

  it('knows the answers without a body', async () => {
    const { to } = await start();
    const head = await request(to, { method: 'HEAD', url: '/count?bytes=1000&length=yes' });
    expect([head.headers['content-length'], await text(head.body)]).toEqual(['1000', '']);
    for (const [words, statusCode, statusMessage] of [
      ['204+No+Content', 204, 'No Content'],
      ['304+Not+Modified', 304, 'Not Modified'],
      ['500+Something+else', 500, 'Something else'],
      ['799+', 799, 'Unknown'],
    ] as const) {
      const answer = await request(to, { method: 'DELETE', url: `/status?${words}` });
      expect(answer).toMatchObject({ statusCode, statusMessage, headers: { 'x-method': 'DELETE' } });
      expect(await text(answer.body)).toBe('');
    }
  });

  it('tells a body that was cut short', async () => {
    const { to } = await start();
    const { body } = await request(to, { url: '/count?bytes=1000&length=yes&cut=1' });
    await expect(text(body)).rejects.toMatchObject({ code: 'ERR_NEARWIRE_SHORT_BODY' });
  });

  it('tells of a server that goes away without an answer', async () => {
    const { to } = await start();
    await expect(request(to, { url: '/die' })).rejects.toMatchObject({ code: 'ERR_NEARWIRE_UWSGI_NO_RESPONSE' });
  });

  it('tells of a request that uWSGI has no room for', async () => {
    const { to, server } = await start();
    const headers = { 'X-Long': 'x'.repeat(5000) };
    await expect(request(to, { url: '/environ', headers })).rejects.toMatchObject({
      code: 'ERR_NEARWIRE_UWSGI_NO_RESPONSE',
    });
    await expect.poll(() => server.log()).toMatch(/invalid request block size/);
    const { to: roomy } = await start(['--buffer-size', '65535']);
    const { statusCode, body } = await request(roomy, { url: '/environ', headers: { 'X-Long': 'x'.repeat(60_000) } });
    expect([statusCode, ((await json(body)) as Record<string, string>)['HTTP_X_LONG']?.length]).toEqual([200, 60_000]);
  });

  it('gets an answer that comes before the body was read', async () => {
    const { to } = await start();
    const { statusCode, body } = await request(to, { method: 'POST', url: '/refuse', body: 'x'.repeat(1000) });
    expect([statusCode, await text(body)]).toEqual([413, 'large']);
  });

  it('gives up on time, and when it is told to', async () => {
    const { to } = await start(['--threads', '4']);
    const silent = request(to, { url: '/silence', headersTimeout: 50 });
    await expect(silent).rejects.toMatchObject({ code: 'ERR_NEARWIRE_HEADERS_TIMEOUT' });
    const halfway = await request(to, { url: '/halfway', bodyTimeout: 50 });
    await expect(text(halfway.body)).rejects.toMatchObject({ code: 'ERR_NEARWIRE_BODY_TIMEOUT' });

    const controller = new AbortController();
    const aborted = request(to, { url: '/silence', signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toMatchObject({
      name: 'AbortError',
      code: 'ABORT_ERR',
      cause: { message: 'enough' },
    });
    await expect(request(to, { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });

    const later = new AbortController();
    const { body } = await request(to, { url: '/halfway', signal: later.signal });
    const [first] = (await once(body, 'data')) as [Buffer];
    later.abort();
    await expect(text(body)).rejects.toMatchObject({ name: 'AbortError' });
    expect(first.toString()).toBe('first');
    await request(to, { url: '/speak' });
  });

  it('undoes chunks', async () => {
    const { to } = await start();
    const { headers, body } = await request(to, { url: '/chunks?300' });
    expect(headers['transfer-encoding']).toBe('chunked');
    const sizes = Array.from({ length: 299 }, (_, i) => counted(i + 1));
    expect((await buffer(body)).equals(Buffer.concat(sizes))).toBe(true);
  });
});
