/** Strict servers and programs, or peers, that do what they should not. */
import type * as http from 'node:http';
import type * as net from 'node:net';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createServer } from 'nearwire/http';
import { exchange, get, HOST, inbox, withoutDate } from '../support/fetch-servers.js';
import { listen, nextTurn } from '../support/sockets.js';
import { strictWays, type StrictWay } from '../support/strict.js';
import { reference, type Subject } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

const CODE = 'ERR_NEARWIRE_HTTP_STRICT';
/** Without Host. */
const BROKEN = 'GET /broken HTTP/1.1\r\n\r\n';
const REFUSAL = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';
const CHUNKED = `POST /p HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;

type Coded = NodeJS.ErrnoException & { statusCode?: number; reason?: string; bytesParsed?: number; rawPacket?: Buffer };

/** Of the answers that came, one after the other. */
function answersOf(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d+)[^]*?\r\n\r\n([^]*?)(?=HTTP\/1\.1|$)/g)].map(
    ([, status, body]) => `${String(status)} ${String(body)}`,
  );
}

function strictly({ options }: StrictWay, more: http.ServerOptions, listener: http.RequestListener): http.Server {
  return createServer({ ...more, ...options, strict: true }, listener);
}

/** What a program sees of a request whose body breaks off, by the end of its connection. */
async function courseOf(subject: Subject, body: string, pauses: boolean): Promise<string[]> {
  const seen: string[] = [];
  const server = subject.http.createServer({}, (request, response) => {
    request.on('data', (chunk: Buffer) => seen.push(`data ${chunk.toString()}`));
    if (pauses) request.pause();
    for (const event of ['end', 'aborted', 'close']) request.on(event, () => seen.push(event));
    request.on('error', ({ code }: NodeJS.ErrnoException) => seen.push(`error ${String(code)}`));
    response.on('close', () => seen.push(`response closed ${String(response.writableFinished)}`));
  });
  const answer = await exchange(await listen(server, 'tcp'), CHUNKED + body);
  while (!seen.includes('close')) await nextTurn();
  return [...seen, answer];
}

describe.each(strictWays)('strict, unfriendly: $name', (way) => {
  it('answers the requests before the broken one first, and none behind it', async () => {
    const open: http.ServerResponse[] = [];
    const urls: string[] = [];
    const server = strictly(way, {}, (request, response) => {
      urls.push(String(request.url));
      if (request.url === '/slow') open.push(response);
      else response.end('fast');
    });
    const client = inbox(await listen(server, 'tcp'));
    client.socket.write(get('/slow') + get('/fast') + BROKEN + get('/behind'));
    while (urls.length < 2) await nextTurn();
    client.socket.write(get('/later'));
    // What it has sent is there, and is not read as a request.
    while ((open[0]?.req.socket.bytesRead ?? 0) < 150) await nextTurn();
    open[0]?.end('slow');
    expect(answersOf(withoutDate(await client.untilClosed()))).toEqual(['200 slow', '200 fast', '400 ']);
    expect(urls).toEqual(['/slow', '/fast']);
  });

  it("does so too where a listener of the program's comes before node's", async () => {
    const responses: http.ServerResponse[] = [];
    const server = strictly(way, {}, (_, response) => responses.push(response));
    server.prependListener('connection', (socket: net.Socket) => socket.on('data', () => undefined));
    const client = inbox(await listen(server, 'tcp'));
    client.socket.write(get('/a') + BROKEN);
    while (responses.length < 1) await nextTurn();
    responses[0]?.end('first');
    expect(answersOf(await client.untilClosed())).toEqual(['200 first', '400 ']);
  });

  it('does so where the peer ends behind the broken one', async () => {
    const responses: http.ServerResponse[] = [];
    const server = strictly(way, {}, (_, response) => responses.push(response));
    Object.assign(server, { httpAllowHalfOpen: true });
    const client = inbox(await listen(server, 'tcp'));
    client.socket.write(`${get('/a')}GET /broken HT`);
    while (responses.length < 1) await nextTurn();
    client.socket.end('TP/1.1\r\n\r\n');
    const peer = responses[0]?.req.socket;
    while (peer?.readableEnded === false) await nextTurn();
    responses[0]?.end('first');
    expect(answersOf(await client.untilClosed())).toEqual(['200 first']);
  });

  it('sees a CR without its LF before the line has ended', async () => {
    const server = strictly(way, {}, (_, response) => response.end('never'));
    const errors: Coded[] = [];
    server.on('clientError', (error: Coded, socket: net.Socket) => {
      errors.push(error);
      socket.destroy();
    });
    expect(await exchange(await listen(server, 'tcp'), 'GET / HTTP/1.1\rHost')).toBe('');
    expect(errors.map(({ code }) => code)).toEqual([CODE]);
  });

  it('says nothing behind a response that was the last anyway', async () => {
    const responses: http.ServerResponse[] = [];
    const server = strictly(way, {}, (_, response) => responses.push(response));
    const errors: unknown[] = [];
    server.on('clientError', (error) => errors.push(error));
    const client = inbox(await listen(server, 'tcp'));
    client.socket.write(get('/a') + BROKEN);
    while (responses.length < 1) await nextTurn();
    responses[0]?.setHeader('Connection', 'close').end('last');
    expect(answersOf(await client.untilClosed())).toEqual(['200 last']);
    expect(errors).toEqual([]);
  });

  it.each([false, true])('breaks off a body as node does where its parser fails; paused: %s', async (pauses) => {
    const good = '5\r\nhello\r\n';
    const nodes = await courseOf(reference, `${good}zz\r\n`, pauses);
    expect(nodes).toContain('error ECONNRESET');
    expect(await courseOf(way.strict, `${good}5;\r\nhello\r\n0\r\n\r\n`, pauses)).toEqual(nodes);
  });

  it("hands what is wrong to 'clientError'", async () => {
    const server = strictly(way, {}, (_, response) => response.end('never'));
    const errors: Coded[] = [];
    server.on('clientError', (error: Coded, socket: net.Socket) => {
      errors.push(error);
      socket.end('HTTP/1.1 418 Own\r\n\r\n');
    });
    expect(await exchange(await listen(server, 'tcp'), BROKEN)).toBe('HTTP/1.1 418 Own\r\n\r\n');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: CODE, statusCode: 400, reason: 'no Host (RFC 9112, 3.2)', bytesParsed: 0 });
    expect(errors[0]?.message).toBe('Parse Error: no Host (RFC 9112, 3.2)');
    expect(errors[0]?.rawPacket?.toString()).toBe(BROKEN);
  });

  it('serves nothing more where a listener does nothing', async () => {
    const urls: string[] = [];
    const server = strictly(way, {}, ({ url }, response) => {
      urls.push(String(url));
      response.end();
    });
    const sockets: net.Socket[] = [];
    server.on('clientError', (_, socket: net.Socket) => sockets.push(socket));
    const client = inbox(await listen(server, 'tcp'));
    client.socket.write(BROKEN);
    while (sockets.length < 1) await nextTurn();
    client.socket.write(get('/behind'));
    while (sockets.length < 2) await nextTurn();
    expect(urls).toEqual([]);
    sockets[0]?.destroy();
    expect(await client.untilClosed()).toBe('');
  });

  it('survives a listener that throws', async () => {
    const thrown: unknown[] = [];
    onUncaught((error) => thrown.push(error.message));
    const server = strictly(way, {}, (_, response) => response.end('served'));
    const sockets: net.Socket[] = [];
    server.on('clientError', (_, socket: net.Socket) => {
      sockets.push(socket);
      throw new Error('of a listener');
    });
    const address = await listen(server, 'tcp');
    const client = inbox(address);
    client.socket.write(BROKEN);
    while (thrown.length < 1) await nextTurn();
    expect(thrown).toEqual(['of a listener']);
    sockets[0]?.destroy();
    await client.untilClosed();
    expect(answersOf(await exchange(address, get('/', 'Connection: close\r\n')))).toEqual(['200 served']);
  });

  it('leaves what is too large to node, whatever stands behind its limit', async () => {
    const server = strictly(way, { maxHeaderSize: 1000 }, (_, response) => response.end('never'));
    const address = await listen(server, 'tcp');
    const large = `A: ${'b'.repeat(2000)}\r\n`;
    const refusal = 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n';
    expect(await exchange(address, get('/', large))).toBe(refusal);
  });

  it('refuses by headersTimeout as ever', async () => {
    const options = { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 };
    const server = strictly(way, options, (_, response) => response.end('never'));
    expect(await exchange(await listen(server, 'tcp'), `GET / HTTP/1.1\r\n${HOST}`)).toContain(' 408 ');
  });

  it.each([
    ['upgrade', `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`],
    ['connect', `CONNECT x:1 HTTP/1.1\r\n${HOST}\r\n`],
  ])("leaves what follows an accepted '%s' alone", async (event, head) => {
    const binary = '\x00\r\r\n : \xff\r\n\r\n';
    const server = strictly(way, {}, (_, response) => response.end('never'));
    const errors: unknown[] = [];
    server.on('clientError', (error) => errors.push(error));
    server.on(event, (_: unknown, socket: net.Socket, first: Buffer) => {
      socket.write('HTTP/1.1 101 Own\r\n\r\n');
      socket.write(first);
      socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end());
    });
    const client = inbox(await listen(server, 'tcp'));
    client.socket.write(head + binary, 'latin1');
    await client.until(binary);
    client.socket.end(BROKEN);
    expect(await client.untilClosed()).toBe(BROKEN);
    expect(errors).toEqual([]);
  });

  it('knows where a body ends when its socket is taken in the middle of it', async () => {
    const urls: string[] = [];
    const server = strictly(way, {}, (request, response) => {
      urls.push(String(request.url));
      request.socket.on('data', () => undefined);
      request.resume().on('end', () => response.end(String(request.url)));
    });
    const errors: Coded[] = [];
    server.on('clientError', (error: Coded, socket: net.Socket) => {
      errors.push(error);
      socket.end();
    });
    const client = inbox(await listen(server, 'tcp'));
    // What no head may have, in a body.
    client.socket.write(`POST /p HTTP/1.1\r\n${HOST}Content-Length: 21\r\n\r\n\r\r\n : \0`);
    while (urls.length < 1) await nextTurn();
    client.socket.write(`GET * HTTP/\r\n\r${get('/next')}`);
    await client.until('/next');
    client.socket.write(BROKEN);
    await client.untilClosed();
    expect(urls).toEqual(['/p', '/next']);
    expect(errors.map(({ code }) => code)).toEqual([CODE]);
  });

  it('reads heads that come byte by byte, of any length, from any stream', async () => {
    const server = strictly(way, { maxHeaderSize: 400_000 }, (request, response) => {
      response.end(String(request.headers['a']?.length));
    });
    let answer = '';
    const stream = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _, callback) => {
        answer += chunk.toString('latin1');
        callback();
      },
    });
    server.emit('connection', stream);
    for (const byte of Buffer.from(get('/', `A: ${'b'.repeat(100_000)}\r\n`))) stream.push(Buffer.from([byte]));
    while (!answer.includes('100000')) await nextTurn();
    for (const byte of Buffer.from(BROKEN)) stream.push(Buffer.from([byte]));
    while (!stream.closed) await nextTurn();
    expect(answersOf(answer).map((one) => one.slice(0, 3))).toEqual(['200', '400']);
  });

  it('is for its own server: parsers that were its own are used again by others', async () => {
    const strict = strictly(way, {}, (_, response) => response.end('strict'));
    const address = await listen(strict, 'tcp');
    for (let i = 0; i < 10; i++) expect(await exchange(address, `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`)).toBe(REFUSAL);
    const twice = get('/', `${HOST}Connection: close\r\n`);
    for (const subject of [way.lax, reference]) {
      const other = subject.http.createServer({}, (_, response) => response.end('lax'));
      expect(answersOf(await exchange(await listen(other, 'tcp'), twice))).toEqual(['200 lax']);
    }
  });
});
