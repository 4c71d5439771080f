/** Files as answers: what a request gets of a file. */
import { closeSync, mkdirSync, openSync, utimesSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sendFile } from 'nearwire/http';
import { descriptors, descriptorsBack, failure, LONG_AGO, makeFile } from '../support/files.js';
import { request, target, type Answer } from '../support/http.js';
import { ask, serveFile } from '../support/served-files.js';
import { cleanup, listen, temporaryDirectory } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

const SIZE = 300_000;
const ETAG = '"5e0be100-493e0"';
const MODIFIED = LONG_AGO.toUTCString();
const LATER = new Date('2021-01-01T00:00:00Z').toUTCString();
const EARLIER = new Date('2019-01-01T00:00:00Z').toUTCString();

/** Headers of a GET, the status it gets, and the bytes, from and to (exclusive). */
const REQUESTS: [string, Record<string, string>, number, [number, number]?][] = [
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

describe.each(everyWay)('sendFile: $name over $family', ({ subject, family }) => {
  it('answers each request by the rules', async () => {
    const { path, bytes } = makeFile(SIZE);
    const { address, outcomes } = await serveFile(subject, family, path);
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
    const { address } = await serveFile(subject, family, path);
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
    const { address } = await serveFile(subject, family, path, {}, (res, req) => {
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
      const { address } = await serveFile(subject, family, path, options);
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
    const { address, outcomes } = await serveFile(subject, family, path);
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
      const { address } = await serveFile(subject, family, file);
      for (let i = 0; i < 2; i++) expect((await ask(address)).body.equals(bytes)).toBe(true);
    }
    const { bytesRead } = await handle.read(Buffer.alloc(10), 0, 10);
    expect(bytesRead).toBe(10);
  });

  it("sends the application's headers, in place of its own, and leaves out those that are null", async () => {
    const { path } = makeFile(100);
    const headers = { 'Content-Type': 'text/x-test', ETag: '"mine"', 'last-modified': null, 'Accept-Ranges': null };
    const { address } = await serveFile(subject, family, path, { headers }, (res) =>
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
    const { address } = await serveFile(subject, family, path);
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
      const { address, outcomes } = await serveFile(subject, family, file);
      const answer = await ask(address);
      expect([outcomes, answer.status]).toEqual([[code], 404]);
      expect(answer.headers.etag).toBeUndefined();
    }
    // Those of its servers are still open.
    expect(await descriptorsBack(before + 10)).toBeLessThanOrEqual(before + 10);
  });

  it('fails where the answer has begun, or begins while the file is opened', async () => {
    const { path } = makeFile(10);
    const codes: unknown[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      if (req.url === '/begun') res.writeHead(200);
      void failure(sendFile(res, path)).then((error) => codes.push(error?.code));
      res.end('other');
    });
    const address = await listen(server, family);
    for (const path of ['/begun', '/meanwhile']) {
      const { body } = await request({ ...target(address), agent: false, path });
      expect(body.toString()).toBe('other');
    }
    expect(codes).toEqual(['ERR_HTTP_HEADERS_SENT', 'ERR_HTTP_HEADERS_SENT']);
  });

  it('refuses arguments that make no sense', async () => {
    const response = { writeHead: () => undefined };
    const call = sendFile as (...words: unknown[]) => Promise<unknown>;
    for (const [words, code] of [
      [[null, 'x'], 'ERR_INVALID_ARG_TYPE'],
      [[response, {}], 'ERR_INVALID_ARG_TYPE'],
      [[response, 'a\0b'], 'ERR_INVALID_ARG_VALUE'],
      [[response, -1], 'ERR_OUT_OF_RANGE'],
      [[response, 'x', () => undefined], 'ERR_INVALID_ARG_TYPE'],
      [[response, 'x', null], 'ERR_INVALID_ARG_TYPE'],
      [[response, 'x', { start: 1.5 }], 'ERR_OUT_OF_RANGE'],
      [[response, 'x', { start: 5, end: 4 }], 'ERR_OUT_OF_RANGE'],
      [[response, 'x', { end: '4' }], 'ERR_INVALID_ARG_TYPE'],
      [[response, 'x', { headers: 1 }], 'ERR_INVALID_ARG_TYPE'],
      [[response, 'x', { conditional: 1 }], 'ERR_INVALID_ARG_TYPE'],
      [[response, 'x', { signal: 1 }], 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      expect(await failure(call(...words))).toMatchObject({ code });
    }
  });
});
