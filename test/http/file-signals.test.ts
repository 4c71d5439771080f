/** Signals of sendFile and receiveFile over node:http: before, at each step under way, and too late. */
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import * as http from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { receiveFile, sendFile } from 'nearwire/http';
import { descriptors, descriptorsBack, failure, makeFile } from '../support/files.js';
import { rawRequest, request, target } from '../support/http.js';
import { cleanup, closed, listen, nextTurn, pattern, readBytes, temporaryDirectory } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';

const ABORTED = { name: 'AbortError', code: 'ABORT_ERR' };
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

describe.each(everyWay)('signals of sendFile: $name over $family', ({ subject, family }) => {
  it.each(['before', 'while it is opened'])('leave the response to the application: %s', async (when) => {
    const { path } = makeFile(100_000);
    const errors: unknown[] = [];
    const server = subject.http.createServer({}, (_req, res) => {
      const controller = new AbortController();
      if (when === 'before') controller.abort(new Error('why'));
      void failure(sendFile(res, path, { signal: controller.signal, headers: { 'X-File': 'yes' } })).then((error) => {
        errors.push(error);
        res.writeHead(503).end('no file');
      });
      if (when !== 'before') controller.abort(new Error('why'));
    });
    const address = await listen(server, family);
    const before = descriptors();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    for (let i = 0; i < 3; i++) {
      const { status, body, headers } = await request({ ...target(address), agent });
      expect([status, body.toString(), headers['x-file']]).toEqual([503, 'no file', undefined]);
    }
    for (const error of errors) expect(error).toMatchObject({ ...ABORTED, cause: { message: 'why' } });
    expect(errors).toHaveLength(3);
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
    // Both ends of the connection.
    expect(await descriptorsBack(before + 2)).toBeLessThanOrEqual(before + 2);
  });

  it('leave it to the application while it waits for its turn', async () => {
    const { path, bytes } = makeFile(1000);
    let release: () => void = () => undefined;
    const server = subject.http.createServer({}, (req, res) => {
      if (req.url === '/first') {
        release = () => res.end('first');
        return;
      }
      if (req.url === '/last') {
        void sendFile(res, path);
        return;
      }
      const controller = new AbortController();
      void failure(sendFile(res, path, { signal: controller.signal })).then((error) => {
        res.end(String(error?.code));
        release();
      });
      controller.abort();
    });
    const address = await listen(server, family);
    const heads = ['first', 'second', 'last'].map((name) => GET.replace('/', `/${name}`));
    const last = heads[2]?.replace('Host: x', 'Host: x\r\nConnection: close') ?? '';
    const text = await rawRequest(subject, address, `${heads[0] ?? ''}${heads[1] ?? ''}${last}`);
    expect(text.match(/first|ABORT_ERR/g)).toEqual(['first', 'ABORT_ERR']);
    expect(text.endsWith(bytes.toString('latin1'))).toBe(true);
  });

  it('end the connection of a reader that is slow, and close the file', async () => {
    const { path, bytes } = makeFile(16 * 1024 * 1024);
    const controllers: AbortController[] = [];
    const errors: unknown[] = [];
    const told: unknown[] = [];
    const server = subject.http.createServer({}, (_req, res) => {
      const controller = new AbortController();
      controllers.push(controller);
      void failure(sendFile(res, path, { signal: controller.signal })).then((error) => errors.push(error));
    });
    server.on('clientError', (error, socket) => {
      told.push(error);
      socket.destroy();
    });
    const address = await listen(server, family);
    const before = descriptors();
    for (let round = 0; round < 3; round++) {
      const client = subject.connect(address);
      client.on('error', () => undefined);
      client.write(GET);
      const begun = await readBytes(client, 100_000);
      client.pause();
      for (let turn = 0; turn < 10 * round; turn++) await nextTurn();
      controllers[round]?.abort();
      controllers[round]?.abort();
      const chunks = [begun];
      client.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
      await closed(client);
      const all = Buffer.concat(chunks);
      const body = all.subarray(all.indexOf('\r\n\r\n') + 4);
      expect(body.length).toBeLessThan(bytes.length);
      expect(body.equals(bytes.subarray(0, body.length))).toBe(true);
    }
    expect(errors).toHaveLength(3);
    for (const error of errors) expect(error).toMatchObject(ABORTED);
    expect(told).toEqual([]);
    expect(await descriptorsBack(before)).toBeLessThanOrEqual(before);
  });

  it('change nothing afterwards', async () => {
    const { path } = makeFile(100_000);
    const sizes: unknown[] = [];
    const sockets = new Set<Socket>();
    const server = subject.http.createServer({}, (req, res) => {
      sockets.add(req.socket);
      const controller = new AbortController();
      void sendFile(res, path, { end: 69_999, signal: controller.signal }).then((bytes) => {
        sizes.push(bytes);
        controller.abort();
      });
    });
    const address = await listen(server, family);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    for (let i = 0; i < 3; i++) {
      expect((await request({ ...target(address), agent })).body.length).toBe(70_000);
      while (sizes.length <= i) await nextTurn();
    }
    expect((await request({ ...target(address), agent, method: 'HEAD' })).body.length).toBe(0);
    while (sizes.length <= 3) await nextTurn();
    expect(sizes).toEqual([70_000, 70_000, 70_000, 0]);
    expect(sockets.size).toBe(1);
  });
});

describe.each(everyWay)('signals of receiveFile: $name over $family', ({ subject, family }) => {
  const upload = async (): Promise<{ path: string; fd: number }> => {
    const path = join(temporaryDirectory(), 'upload.bin');
    const handle = await open(path, 'w');
    cleanup(() => handle.close());
    return { path, fd: handle.fd };
  };

  it('leave the request as it is, before', async () => {
    const { path, fd } = await upload();
    const server = subject.http.createServer({}, (req, res) => {
      void failure(receiveFile(req, fd, { signal: AbortSignal.abort() })).then(async (error) => {
        const chunks = (await req.toArray()) as Buffer[];
        res.end(`${String(error?.code)} ${String(Buffer.concat(chunks).length)}`);
      });
    });
    const address = await listen(server, family);
    const { body } = await request({ ...target(address), agent: false, method: 'PUT' }, pattern(200_000));
    expect(body.toString()).toBe('ABORT_ERR 200000');
    expect(readFileSync(path).length).toBe(0);
  });

  it.each(['Content-Length', 'Transfer-Encoding'])(
    'throw the rest away, under way, and the connection lives on: %s',
    async (by) => {
      const { path, fd } = await upload();
      const sockets = new Set<Socket>();
      let controller = new AbortController();
      const outcomes: unknown[] = [];
      const server = subject.http.createServer({}, (req, res) => {
        sockets.add(req.socket);
        void failure(receiveFile(req, fd, { signal: controller.signal })).then((error) => {
          outcomes.push(error?.code);
          res.end('answered');
        });
      });
      const address = await listen(server, family);
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      cleanup(() => {
        agent.destroy();
      });
      const body = pattern(3_000_000);
      for (let round = 0; round < 3; round++) {
        controller = new AbortController();
        const headers = by === 'Content-Length' ? { [by]: body.length } : { [by]: 'chunked' };
        const sent = http.request({ ...target(address), agent, method: 'PUT', headers });
        const answered = new Promise<http.IncomingMessage>((resolve) => sent.on('response', resolve));
        sent.write(body.subarray(0, 1_000_000));
        while (readFileSync(path).length < (500_000 * (round + 1)) / 3) await nextTurn();
        controller.abort();
        controller.abort();
        while (outcomes.length <= round) await nextTurn();
        const written = readFileSync(path);
        expect(written.equals(body.subarray(0, written.length))).toBe(true);
        sent.end(body.subarray(1_000_000));
        const answer = await answered;
        expect(Buffer.concat((await answer.toArray()) as Buffer[]).toString()).toBe('answered');
      }
      expect(outcomes).toEqual(['ABORT_ERR', 'ABORT_ERR', 'ABORT_ERR']);
      expect(sockets.size).toBe(1);
    },
  );

  it('change nothing afterwards', async () => {
    const { path, fd } = await upload();
    const server = subject.http.createServer({}, (req, res) => {
      const controller = new AbortController();
      void receiveFile(req, fd, { signal: controller.signal }).then((bytes) => {
        controller.abort();
        res.end(String(bytes));
      });
    });
    const address = await listen(server, family);
    const body = pattern(200_000);
    const answer = await request({ ...target(address), agent: false, method: 'PUT' }, body);
    expect(answer.body.toString()).toBe('200000');
    expect(readFileSync(path).equals(body)).toBe(true);
  });

  it('say how much is in the file, whatever the failure', async () => {
    const { fd } = await upload();
    const errors: unknown[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      void failure(receiveFile(req, fd, { maxBytes: 10 })).then((error) => {
        errors.push(error);
        res.end();
      });
    });
    const address = await listen(server, family);
    await request({ ...target(address), agent: false, method: 'PUT' }, pattern(11));
    expect(errors).toMatchObject([{ code: 'ERR_NEARWIRE_BODY_TOO_LARGE', bytesWritten: 0 }]);
  });
});
