/** Files as answers: what a request gets of a file, and how the answer stands among others on its connection. */
import { openSync, closeSync, truncateSync, mkdirSync, utimesSync } from 'node:fs';
import { open } from 'node:fs/promises';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { sendFile, type FileSource, type SendFileOptions } from 'nearwire/http';
import { descriptors, LONG_AGO, makeFile } from './support/files.js';
import { rawRequest, request, target, type Answer } from './support/http.js';
import { cleanup, closed, listen, nextTurn, readBytes, temporaryDirectory, type Address } from './support/sockets.js';
import { everyWay, type Family, type Subject } from './support/subjects.js';

const SIZE = 300_000;
const ETAG = '"5e0be100-493e0"';
const MODIFIED = LONG_AGO.toUTCString();
const LATER = new Date('2021-01-01T00:00:00Z').toUTCString();
const EARLIER = new Date('2019-01-01T00:00:00Z').toUTCString();

type Headers = Record<string, string>;

/** Headers of a GET, the status it gets, and the bytes, from and to (exclusive). */
const REQUESTS: [string, Headers, number, [number, number]?][] = [
  ['nothing asked', {}, 200, [0, SIZE]],
  ['the first bytes', { Range: 'bytes=0-99' }, 206, [0, 100]],
  ['one byte', { Range: 'bytes=5-5' }, 206, [5, 6]],
  ['an open range', { Range: 'bytes=299990-' }, 206, [299_990, SIZE]],
  ['the last bytes', { Range: 'bytes=-10' }, 206, [299_990, SIZE]],
  ['more last bytes than there are', { Range: 'bytes=-999999999' }, 206, [0, SIZE]],
  ['a range beyond the end', { Range: 'bytes=299990-999999999' }, 206, [299_990, SIZE]],
  ['a unit in capitals', { Range: 'BYTES=0-9' }, 206, [0, 10]],
  ['a range behind the end', { Range: 'bytes=300000-' }, 416],
  ['no last bytes', { Range: 'bytes=-0' }, 416],
  ['a number beyond all', { Range: `bytes=${'9'.repeat(400)}-` }, 416],
  ['several ranges', { Range: 'bytes=0-1,5-6' }, 200, [0, SIZE]],
  ['a range turned round', { Range: 'bytes=9-5' }, 200, [0, SIZE]],
  ['another unit', { Range: 'lines=0-1' }, 200, [0, SIZE]],
  ['no range', { Range: 'bytes=-' }, 200, [0, SIZE]],
  ['its tag', { 'If-None-Match': ETAG }, 304],
  ['its tag, weak', { 'If-None-Match': `W/${ETAG}` }, 304],
  ['its tag among others', { 'If-None-Match': `"a,b", W/"c", ${ETAG}` }, 304],
  ['any tag', { 'If-None-Match': '*' }, 304],
  ['another tag', { 'If-None-Match': '"other"' }, 200, [0, SIZE]],
  ['another tag, whatever the date', { 'If-None-Match': '"other"', 'If-Modified-Since': LATER }, 200, [0, SIZE]],
  ['its date', { 'If-Modified-Since': MODIFIED }, 304],
  ['a later date', { 'If-Modified-Since': LATER }, 304],
  ['an earlier date', { 'If-Modified-Since': EARLIER }, 200, [0, SIZE]],
  ['its date, as RFC 850 has it', { 'If-Modified-Since': 'Wednesday, 01-Jan-20 00:00:00 GMT' }, 304],
  ["its date, as C's asctime has it", { 'If-Modified-Since': 'Wed Jan  1 00:00:00 2020' }, 304],
  ['no date', { 'If-Modified-Since': '2030' }, 200, [0, SIZE]],
  ['its tag to match', { 'If-Match': ETAG }, 200, [0, SIZE]],
  ['any tag to match', { 'If-Match': '*' }, 200, [0, SIZE]],
  ['its tag to match, weak', { 'If-Match': `W/${ETAG}` }, 412],
  ['another tag to match', { 'If-Match': '"other"' }, 412],
  ['another tag to match, with a range', { 'If-Match': '"other"', Range: 'bytes=0-9' }, 412],
  ['unmodified since its date', { 'If-Unmodified-Since': MODIFIED }, 200, [0, SIZE]],
  ['unmodified since an earlier date', { 'If-Unmodified-Since': EARLIER }, 412],
  ['its tag to match, whatever the date', { 'If-Match': ETAG, 'If-Unmodified-Since': EARLIER }, 200, [0, SIZE]],
  ['a range of its tag', { Range: 'bytes=0-9', 'If-Range': ETAG }, 206, [0, 10]],
  ['a range of its tag, weak', { Range: 'bytes=0-9', 'If-Range': `W/${ETAG}` }, 200, [0, SIZE]],
  ['a range of another tag', { Range: 'bytes=0-9', 'If-Range': '"other"' }, 200, [0, SIZE]],
  ['a range of its date', { Range: 'bytes=0-9', 'If-Range': MODIFIED }, 206, [0, 10]],
  ['a range of a later date', { Range: 'bytes=0-9', 'If-Range': LATER }, 200, [0, SIZE]],
  ['a range behind the end, of another tag', { Range: 'bytes=300000-', 'If-Range': '"other"' }, 200, [0, SIZE]],
  ['its tag and a range', { 'If-None-Match': ETAG, Range: 'bytes=0-9' }, 304],
];

interface Serving {
  address: Address;
  /** What became of each call, in the order of their ends: a code, or nothing. */
  outcomes: (string | undefined)[];
}

/** Serves this file to every request. */
async function serve(
  subject: Subject,
  family: Family,
  file: FileSource,
  options?: SendFileOptions,
  before?: (response: http.ServerResponse, request: http.IncomingMessage) => void,
): Promise<Serving> {
  const outcomes: (string | undefined)[] = [];
  const server = subject.http.createServer({}, (req, res) => {
    before?.(res, req);
    sendFile(res, file, options, (error) => {
      outcomes.push(error?.code);
      if (error !== null && !res.headersSent) res.writeHead(404).end(error.message);
    });
  });
  return { address: await listen(server, family), outcomes };
}

function ask(address: Address, headers: Headers = {}, method = 'GET'): Promise<Answer> {
  return request({ ...target(address), agent: false, method, headers });
}

describe.each(everyWay)('sendFile: $name over $family', ({ subject, family }) => {
  it('answers each request by the rules', async () => {
    const { path, bytes } = makeFile(SIZE);
    const { address, outcomes } = await serve(subject, family, path);
    for (const [name, headers, status, range] of REQUESTS) {
      const answer = await ask(address, headers);
      expect([name, answer.status]).toEqual([name, status]);
      const {
        etag,
        'content-range': contentRange,
        'content-length': length,
        'last-modified': modified,
      } = answer.headers;
      const refused = status === 412 || status === 416;
      expect([name, etag, modified]).toEqual(refused ? [name, undefined, undefined] : [name, ETAG, MODIFIED]);
      const [from, to] = range ?? [0, 0];
      const ranges: Record<number, string> = {
        206: `bytes ${String(from)}-${String(to - 1)}/${String(SIZE)}`,
        416: `bytes */${String(SIZE)}`,
      };
      expect([name, contentRange]).toEqual([name, ranges[status]]);
      expect([name, length]).toEqual([name, status === 304 ? undefined : String(to - from)]);
      expect(answer.body.equals(bytes.subarray(from, to))).toBe(true);
      expect(answer.headers['content-type']).toBeUndefined();
      expect(answer.headers['accept-ranges']).toBe('bytes');
    }
    expect(outcomes).toEqual(REQUESTS.map(() => undefined));
  });

  it('answers HEAD with the same head, and no body', async () => {
    const { path } = makeFile(SIZE);
    const { address } = await serve(subject, family, path);
    const [got, headed] = [await ask(address), await ask(address, {}, 'HEAD')];
    const stable = ({ status, headers }: Answer): unknown => [status, { ...headers, date: undefined }];
    expect(stable(headed)).toEqual(stable(got));
    expect(headed.body.length).toBe(0);
    // Ranges are GET's.
    expect((await ask(address, { Range: 'bytes=0-9' }, 'HEAD')).headers['content-length']).toBe(String(SIZE));
    expect((await ask(address, { 'If-None-Match': ETAG }, 'HEAD')).status).toBe(304);
  });

  it('sends the whole to other methods, and behind a status of the application', async () => {
    const { path, bytes } = makeFile(5000);
    const { address } = await serve(subject, family, path, {}, (res, req) => {
      if (req.url === '/missing') res.statusCode = 404;
    });
    const conditions = { Range: 'bytes=0-9', 'If-None-Match': '*' };
    const posted = await ask(address, conditions, 'POST');
    expect([posted.status, posted.body.equals(bytes)]).toEqual([200, true]);
    const missing = await request({ ...target(address), agent: false, path: '/missing', headers: conditions });
    expect([missing.status, missing.body.equals(bytes)]).toEqual([404, true]);
  });

  it('serves a slice as the whole', async () => {
    const { path, bytes } = makeFile(SIZE);
    for (const [options, from, to] of [
      [{ start: 100 }, 100, SIZE],
      [{ end: 99 }, 0, 100],
      [{ start: 1000, end: 1999 }, 1000, 2000],
      [{ start: SIZE - 1, end: SIZE + 10 }, SIZE - 1, SIZE],
      [{ start: SIZE }, SIZE, SIZE],
      [{ start: SIZE + 5 }, SIZE, SIZE],
    ] as const) {
      const { address } = await serve(subject, family, path, options);
      const whole = await ask(address);
      expect([whole.status, whole.headers['content-length']]).toEqual([200, String(to - from)]);
      expect(whole.body.equals(bytes.subarray(from, to))).toBe(true);
      expect(whole.headers.etag).not.toBe(ETAG);
      const part = await ask(address, { Range: 'bytes=0-0' });
      expect(part.body.equals(bytes.subarray(from, Math.min(to, from + 1)))).toBe(true);
      expect(part.headers['content-range']).toBe(from < to ? `bytes 0-0/${String(to - from)}` : 'bytes */0');
    }
  });

  it('serves an empty file', async () => {
    const { path } = makeFile(0);
    const { address, outcomes } = await serve(subject, family, path);
    const answer = await ask(address);
    expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([200, '0', 0]);
    expect((await ask(address, { Range: 'bytes=0-' })).status).toBe(416);
    expect(outcomes).toEqual([undefined, undefined]);
  });

  it('takes what is open, from any place in it, and leaves it open', async () => {
    const { path, bytes } = makeFile(SIZE);
    const handle = await open(path);
    cleanup(() => handle.close());
    const fd = openSync(path, 'r');
    cleanup(() => {
      closeSync(fd);
    });
    await handle.read(Buffer.alloc(1000), 0, 1000);
    for (const file of [handle, fd]) {
      const { address } = await serve(subject, family, file);
      for (let i = 0; i < 2; i++) expect((await ask(address)).body.equals(bytes)).toBe(true);
    }
    const { bytesRead } = await handle.read(Buffer.alloc(10), 0, 10);
    expect(bytesRead).toBe(10);
  });

  it("sends the application's headers, in place of its own, and leaves out those that are null", async () => {
    const { path } = makeFile(100);
    const headers = { 'Content-Type': 'text/x-test', ETag: '"mine"', 'last-modified': null, 'Accept-Ranges': null };
    const { address } = await serve(subject, family, path, { headers }, (res) =>
      res.setHeader('Cache-Control', 'no-cache'),
    );
    const answer = await ask(address);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/x-test',
      etag: '"mine"',
      'cache-control': 'no-cache',
    });
    expect(Object.keys(answer.headers)).not.toContain('last-modified');
    expect(Object.keys(answer.headers)).not.toContain('accept-ranges');
    expect((await ask(address, { Range: 'bytes=0-9' })).status).toBe(200);
    expect((await ask(address, { 'If-Modified-Since': LATER })).status).toBe(200);
    const known = await ask(address, { 'If-None-Match': '"mine"' });
    expect([known.status, known.headers['content-type']]).toEqual([304, undefined]);
    const refused = await ask(address, { 'If-Match': '"other"' });
    expect([refused.status, refused.headers['cache-control'], refused.headers['content-type']]).toEqual([
      412,
      undefined,
      undefined,
    ]);
  });

  it('has weak validators for a file that was written just now', async () => {
    const { path } = makeFile(100);
    utimesSync(path, new Date(), new Date());
    const { address } = await serve(subject, family, path);
    const { headers } = await ask(address);
    const { etag = '', 'last-modified': modified = '' } = headers;
    expect(etag).toMatch(/^W\/"[0-9a-f]+-64"$/);
    expect((await ask(address, { Range: 'bytes=0-9', 'If-Range': etag })).status).toBe(200);
    expect((await ask(address, { Range: 'bytes=0-9', 'If-Range': modified })).status).toBe(200);
    expect((await ask(address, { 'If-None-Match': etag })).status).toBe(304);
  });

  it('leaves the answer to the application where there is no file to send', async () => {
    const { path } = makeFile(10);
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'inner'));
    const before = descriptors();
    for (const [file, code] of [
      [join(directory, 'none'), 'ENOENT'],
      [join(path, 'below'), 'ENOTDIR'],
      [join(directory, 'inner'), 'EISDIR'],
      ['/dev/null', 'ESPIPE'],
      [1_000_000, 'EBADF'],
    ] as const) {
      const { address, outcomes } = await serve(subject, family, file);
      const answer = await ask(address);
      expect([outcomes, answer.status]).toEqual([[code], 404]);
      expect(answer.headers.etag).toBeUndefined();
    }
    expect(descriptors()).toBeLessThanOrEqual(before + 5 * 2);
  });

  it('fails where the answer has begun, or begins while the file is opened', async () => {
    const { path } = makeFile(10);
    const codes: unknown[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      if (req.url === '/begun') res.writeHead(200);
      sendFile(res, path, (error) => codes.push(error?.code));
      res.end('other');
    });
    const address = await listen(server, family);
    for (const path of ['/begun', '/meanwhile']) {
      const { body } = await request({ ...target(address), agent: false, path });
      expect(body.toString()).toBe('other');
    }
    expect(codes).toEqual(['ERR_HTTP_HEADERS_SENT', 'ERR_HTTP_HEADERS_SENT']);
  });

  it('keeps its turn among pipelined requests', async () => {
    const { path, bytes } = makeFile(SIZE);
    const seen: string[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      const { url = '' } = req;
      res.on('finish', () => seen.push(url));
      if (url.startsWith('/file')) void sendFile(res, path);
      else if (url.startsWith('/none'))
        sendFile(res, `${path}.none`, () => res.writeHead(404, { 'Content-Length': url.length }).end(url));
      else setImmediate(() => res.end(url));
    });
    const address = await listen(server, family);
    const kinds = ['file', 'text', 'none', 'text', 'file'];
    const urls = Array.from({ length: 30 }, (_, i) => `/${kinds[i % 5] ?? ''}${String(i)}`);
    const last = 'GET /text HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const requests = urls.map((url) => `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`).join('') + last;
    const text = await rawRequest(subject, address, requests);
    let rest = text;
    for (const url of [...urls, '/text']) {
      const end = rest.indexOf('\r\n\r\n') + 4;
      const length = Number(/Content-Length: (\d+)/i.exec(rest.slice(0, end))?.[1] ?? url.length);
      const chunked = /chunked/.test(rest.slice(0, end));
      expect(chunked).toBe(false);
      const body = rest.slice(end, end + length);
      expect([url, body === (url.startsWith('/file') ? bytes.toString('latin1') : url)]).toEqual([url, true]);
      rest = rest.slice(end + length);
    }
    expect(rest).toBe('');
    expect(seen).toEqual([...urls, '/text']);
  });

  it('leaves the response as node does, and says so when it is', async () => {
    const { path } = makeFile(SIZE);
    const seen: unknown[] = [];
    const context = new AsyncLocalStorage<string>();
    const server = subject.http.createServer({}, (_req, res) => {
      res.on('prefinish', () => seen.push('prefinish'));
      res.on('finish', () => seen.push(['finish', res.writableEnded, res.writableFinished, res.headersSent]));
      res.on('close', () => seen.push('close'));
      context.run('mine', () => {
        sendFile(res, path, () => seen.push(['callback', context.getStore(), res.writableFinished]));
      });
      seen.push(['called', res.headersSent, res.writableEnded]);
    });
    const address = await listen(server, family);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    for (let i = 0; i < 4; i++) {
      seen.length = 0;
      expect((await request({ ...target(address), agent })).body.length).toBe(SIZE);
      while (!seen.includes('close')) await nextTurn();
      expect(seen).toEqual([
        ['called', false, false],
        'prefinish',
        ['finish', true, true, true],
        ['callback', 'mine', true],
        'close',
      ]);
    }
    expect(Object.values(agent.freeSockets).flat().length).toBe(1);
  });

  it('answers HTTP/1.0, and closes', async () => {
    const { path, bytes } = makeFile(SIZE);
    const { address } = await serve(subject, family, path);
    const text = await rawRequest(subject, address, 'GET / HTTP/1.0\r\n\r\n');
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(bytes.toString('latin1'));
  });

  it('has its promise', async () => {
    const { path } = makeFile(100);
    const outcomes: unknown[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      const file = req.url === '/' ? path : `${path}.none`;
      sendFile(res, file).then(
        () => outcomes.push([res.writableFinished]),
        (error: unknown) => {
          outcomes.push((error as NodeJS.ErrnoException).code);
          res.end();
        },
      );
    });
    const address = await listen(server, family);
    await ask(address);
    await request({ ...target(address), agent: false, path: '/none' });
    await expect(sendFile({} as http.ServerResponse, path)).rejects.toThrow(TypeError);
    expect(outcomes).toEqual([[true], 'ENOENT']);
  });

  it('fails when its client goes, at any time, and leaves nothing open', async () => {
    const { path } = makeFile(8 * 1024 * 1024);
    const codes: unknown[] = [];
    let asked: (socket: Socket) => void = () => undefined;
    const server = subject.http.createServer({}, (req, res) => {
      sendFile(res, path, (error) => codes.push(error?.code));
      asked(req.socket);
    });
    const address = await listen(server, family);
    const before = descriptors();
    const rounds = 12;
    for (let i = 0; i < rounds; i++) {
      const come = new Promise<Socket>((resolve) => (asked = resolve));
      const client = subject.connect(address);
      client.on('error', () => undefined);
      client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      const gone = closed(await come);
      // While it is opened, while it is sent, when the kernel is full.
      if (i % 3 > 0) await readBytes(client, i % 3 === 1 ? 1 : 500_000);
      if (i % 3 === 2) for (let turn = 0; turn < 10; turn++) await nextTurn();
      client.destroy();
      await gone;
      while (codes.length <= i) await nextTurn();
    }
    expect(codes).toEqual(Array.from({ length: rounds }, () => 'ERR_STREAM_PREMATURE_CLOSE'));
    for (let turn = 0; turn < 100 && descriptors() > before; turn++) await nextTurn();
    expect(descriptors()).toBeLessThanOrEqual(before);
  });

  it('fails when the connection goes before its turn', async () => {
    const { path } = makeFile(100);
    const codes: unknown[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      if (req.url === '/never') return;
      sendFile(res, path, (error) => codes.push(error?.code));
      req.socket.destroy();
    });
    const address = await listen(server, family);
    const before = descriptors();
    const request = 'GET /never HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const client = subject.connect(address);
    client.on('error', () => undefined);
    client.write(request);
    await closed(client);
    while (codes.length === 0) await nextTurn();
    expect(codes).toEqual(['ERR_STREAM_PREMATURE_CLOSE']);
    for (let turn = 0; turn < 100 && descriptors() > before; turn++) await nextTurn();
    expect(descriptors()).toBeLessThanOrEqual(before);
  });

  it('ends the connection where the file is cut short, with no wrong bytes', async () => {
    const { path, bytes } = makeFile(32 * 1024 * 1024);
    const { address, outcomes } = await serve(subject, family, path);
    const client = subject.connect(address);
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const begun = await readBytes(client, 100_000);
    client.pause();
    // Far beyond what the kernel holds of it.
    truncateSync(path, 16 * 1024 * 1024);
    const chunks = [begun];
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.resume();
    await closed(client);
    const all = Buffer.concat(chunks);
    const body = all.subarray(all.indexOf('\r\n\r\n') + 4);
    expect(body.length).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(body.equals(bytes.subarray(0, body.length))).toBe(true);
    while (outcomes.length === 0) await nextTurn();
    expect(outcomes).toEqual(['ERR_NEARWIRE_FILE_TRUNCATED']);
  });

  it('refuses arguments that make no sense', () => {
    const response = { writeHead: () => undefined } as unknown as http.ServerResponse;
    const callback = (): void => undefined;
    for (const [call, code] of [
      [
        () => {
          sendFile(null as never, 'x', callback);
        },
        'ERR_INVALID_ARG_TYPE',
      ],
      [
        () => {
          sendFile(response, {} as never, callback);
        },
        'ERR_INVALID_ARG_TYPE',
      ],
      [
        () => {
          sendFile(response, -1, callback);
        },
        'ERR_OUT_OF_RANGE',
      ],
      [
        () => {
          sendFile(response, 'x', { start: 1.5 }, callback);
        },
        'ERR_OUT_OF_RANGE',
      ],
      [
        () => {
          sendFile(response, 'x', { start: 5, end: 4 }, callback);
        },
        'ERR_OUT_OF_RANGE',
      ],
      [
        () => {
          sendFile(response, 'x', { headers: 1 as never }, callback);
        },
        'ERR_INVALID_ARG_TYPE',
      ],
      [
        () => {
          sendFile(response, 'x', {}, 1 as never);
        },
        'ERR_INVALID_ARG_TYPE',
      ],
    ] as const) {
      expect(call).toThrow(expect.objectContaining({ code }) as Error);
    }
  });
});
