/** A body that is on its way into a file, and a program, a peer or a clock that want something else meanwhile. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type * as http from 'node:http';
import type * as net from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { receiveFile } from 'nearwire/http';
import { cleanup, listen, nextTurn, passTime, pattern, temporaryDirectory } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

const LENGTH = 600_000;
const HALF = LENGTH / 2;
const HEAD = `PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${String(LENGTH)}\r\n\r\n`;
const NEXT = 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi';

interface Upload {
  server: http.Server;
  client: net.Socket;
  path: string;
  outcomes: unknown[];
  request: http.IncomingMessage;
  /** All that the client has got so far. */
  readonly text: string;
}

async function openForWriting(path: string): Promise<FileHandle> {
  writeFileSync(path, '');
  const handle = await open(path, 'r+');
  cleanup(() => handle.close());
  return handle;
}

describe.each(everyWay)('a body below JavaScript: $name over $family', ({ subject, family }) => {
  /** Sends half of a body, and waits until that is in the file. */
  async function half(body: Buffer, options: http.ServerOptions = {}): Promise<Upload> {
    const path = join(temporaryDirectory(), 'upload.bin');
    const handle = await openForWriting(path);
    const outcomes: unknown[] = [];
    const requests: http.IncomingMessage[] = [];
    const server = subject.http.createServer(options, (req, res) => {
      requests.push(req);
      receiveFile(req, handle).then(
        (bytes) => {
          outcomes.push(bytes);
          res.end(`${String(bytes)};`);
        },
        (error: unknown) => {
          outcomes.push((error as NodeJS.ErrnoException).code);
          if (!res.destroyed) res.writeHead(400).end();
        },
      );
    });
    const client = subject.connect(await listen(server, family));
    let text = '';
    client.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    client.on('error', () => undefined);
    client.write(HEAD);
    client.write(body.subarray(0, HALF));
    while (readFileSync(path).length < HALF) await nextTurn();
    const upload = { server, client, path, outcomes, request: requests[0] as http.IncomingMessage };
    return Object.defineProperty(upload, 'text', { get: () => text }) as Upload;
  }

  /** Sends the rest and another request, and expects both to be answered. */
  async function complete(upload: Upload, body: Buffer): Promise<void> {
    const { client, path, outcomes } = upload;
    client.write(body.subarray(HALF));
    while (!upload.text.endsWith(';')) await nextTurn();
    expect(readFileSync(path).equals(body)).toBe(true);
    client.write(NEXT);
    while (upload.text.split(';').length < 3) await nextTurn();
    expect(outcomes).toEqual([LENGTH, 2]);
    expect(readFileSync(path).subarray(0, 2).toString()).toBe('hi');
    client.destroy();
  }

  it('counts what has been read', async () => {
    const body = pattern(LENGTH);
    const upload = await half(body);
    expect(upload.request.socket.bytesRead).toBe(HEAD.length + HALF);
    await complete(upload, body);
  });

  it('goes on when the program wants the socket', async () => {
    const wants: ((socket: net.Socket) => unknown)[] = [
      (socket) => socket.pause().resume(),
      (socket) => socket.on('data', () => undefined),
      (socket) => socket.setEncoding,
      (socket) => socket.readableFlowing,
      (socket) => socket.ref(),
      (socket) => {
        socket.cork();
      },
    ];
    for (const want of wants) {
      const body = pattern(LENGTH);
      const upload = await half(body);
      want(upload.request.socket);
      upload.request.socket.uncork();
      await complete(upload, body);
    }
  });

  it('goes on when the program reads the request as well', async () => {
    const body = pattern(LENGTH);
    const upload = await half(body);
    upload.request.resume();
    await complete(upload, body);
  });

  it('ends with the connection, and the file may be closed', async () => {
    const ends: ((upload: Upload) => unknown)[] = [
      ({ request }) => request.socket.destroy(),
      ({ request }) => request.destroy(),
      ({ server }) => {
        server.closeAllConnections();
      },
      ({ client }) => client.destroy(),
      ({ client }) => client.end(),
    ];
    for (const end of ends) {
      const body = pattern(LENGTH);
      const upload = await half(body);
      end(upload);
      while (upload.outcomes.length === 0) await nextTurn();
      expect(upload.outcomes).toEqual(['ECONNRESET']);
      expect(readFileSync(upload.path).equals(body.subarray(0, HALF))).toBe(true);
      upload.client.destroy();
    }
  });

  it('is refused when it has not come in time', async () => {
    const upload = await half(pattern(LENGTH), {
      requestTimeout: 1000,
      headersTimeout: 900,
      connectionsCheckingInterval: 20,
    });
    if (!upload.client.closed) await once(upload.client, 'close');
    expect(upload.text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    while (upload.outcomes.length === 0) await nextTurn();
    expect(upload.outcomes).toEqual(['ECONNRESET']);
  });

  it('is not idle while it comes', async () => {
    const body = pattern(LENGTH);
    const upload = await half(body);
    let timeouts = 0;
    // Node's server would destroy it.
    upload.server.on('timeout', () => timeouts++);
    upload.request.socket.setTimeout(400);
    const pieces = 30;
    const size = HALF / pieces;
    for (let at = HALF; at < LENGTH; at += size) {
      await passTime(20);
      upload.client.write(body.subarray(at, at + size));
    }
    while (!upload.text.endsWith(';')) await nextTurn();
    expect(timeouts).toBe(0);
    expect(readFileSync(upload.path).equals(body)).toBe(true);
    upload.client.destroy();
  });

  it('is idle when nothing comes', async () => {
    const upload = await half(pattern(LENGTH));
    const timedOut = once(upload.server, 'timeout');
    upload.request.socket.setTimeout(50);
    await timedOut;
    expect(upload.outcomes).toEqual([]);
    upload.client.destroy();
  });

  it('is read in order where the program reads late, in ticks', async () => {
    const answers: string[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      const pieces: Buffer[] = [];
      req.on('readable', () => {
        process.nextTick(() => {
          for (let piece = req.read() as Buffer | null; piece !== null; piece = req.read() as Buffer | null) {
            pieces.push(piece);
          }
        });
      });
      req.on('end', () => {
        const all = Buffer.concat(pieces);
        const size = Number(req.headers['content-length']);
        answers.push(`${String(req.url)} ${String(all.equals(pattern(size)))}`);
        res.end(';');
      });
    });
    const address = await listen(server, family);
    const sizes = [300_000, 65_536, 65_537, 1, 200_000];
    const all = Buffer.concat(
      sizes.flatMap((size, i) => [
        Buffer.from(`POST /${String(i)} HTTP/1.1\r\nHost: x\r\nContent-Length: ${String(size)}\r\n\r\n`),
        pattern(size),
      ]),
    );
    for (const size of [all.length, 65_536, 10_007]) {
      answers.length = 0;
      const client = subject.connect(address);
      for (let at = 0; at < all.length; at += size) client.write(all.subarray(at, at + size));
      let text = '';
      client.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      while (text.split('\r\n\r\n;').length <= sizes.length) await once(client, 'data');
      expect(answers).toEqual(sizes.map((_, i) => `/${String(i)} true`));
      client.destroy();
    }
  });
});
