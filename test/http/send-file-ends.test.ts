/** Files as answers: how they stand among others on their connection, and how they end. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { truncateSync } from 'node:fs';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { sendFile } from 'nearwire/http';
import { descriptors, descriptorsBack, failure, makeFile } from '../support/files.js';
import { rawRequest, request, target } from '../support/http.js';
import { ask, serveFile } from '../support/served-files.js';
import { cleanup, closed, listen, nextTurn, readBytes } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

const SIZE = 300_000;

describe.each(everyWay)('the end of sendFile: $name over $family', ({ subject, family }) => {
  it('keeps its turn among pipelined requests', async () => {
    const { path, bytes } = makeFile(SIZE);
    const seen: string[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      const { url = '' } = req;
      res.on('finish', () => seen.push(url));
      if (url.startsWith('/file')) void sendFile(res, path);
      else if (url.startsWith('/none'))
        void failure(sendFile(res, `${path}.none`)).then(() =>
          res.writeHead(404, { 'Content-Length': url.length }).end(url),
        );
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
        void sendFile(res, path).then((bytes) => seen.push([bytes, context.getStore(), res.writableFinished]));
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
      while (seen.length < 5) await nextTurn();
      expect(seen).toEqual([
        ['called', false, false],
        'prefinish',
        ['finish', true, true, true],
        'close',
        // The promise: behind what is told in the same tick.
        [SIZE, 'mine', true],
      ]);
    }
    expect(Object.values(agent.freeSockets).flat().length).toBe(1);
  });

  it('answers HTTP/1.0, and closes', async () => {
    const { path, bytes } = makeFile(SIZE);
    const { address } = await serveFile(subject, family, path);
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
      void failure(sendFile(res, path)).then((error) => codes.push(error?.code));
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
      client.pause();
      if (i % 3 === 2) for (let turn = 0; turn < 10; turn++) await nextTurn();
      client.destroy();
      await gone;
      while (codes.length <= i) await nextTurn();
    }
    expect(codes).toEqual(Array.from({ length: rounds }, () => 'ERR_STREAM_PREMATURE_CLOSE'));
    expect(await descriptorsBack(before)).toBeLessThanOrEqual(before);
  });

  it('fails when the connection goes before its turn', async () => {
    const { path } = makeFile(100);
    const codes: unknown[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      if (req.url === '/never') return;
      void failure(sendFile(res, path)).then((error) => codes.push(error?.code));
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
    expect(await descriptorsBack(before)).toBeLessThanOrEqual(before);
  });

  it('ends the connection where the file is cut short, with no wrong bytes', async () => {
    const { path, bytes } = makeFile(32 * 1024 * 1024);
    const { address, outcomes } = await serveFile(subject, family, path);
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
});
