/** Bodies of requests into files: all bytes in their places, whatever road they take, and the connection as it was. */
import { readFileSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import * as http from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { receiveFile, type HttpReceiveFileOptions } from 'nearwire/http';
import { descriptors, descriptorsBack, failure } from '../support/files.js';
import { request, target, type Answer } from '../support/http.js';
import { cleanup, listen, nextTurn, pattern, readBytes, temporaryDirectory, type Address } from '../support/sockets.js';
import { everyWay, type Family, type Subject } from '../support/subjects.js';

interface Receiving {
  address: Address;
  path: string;
  /** What became of each call: a number of bytes, or a code. */
  outcomes: unknown[];
}

async function openForWriting(path: string): Promise<FileHandle> {
  writeFileSync(path, '');
  const handle = await open(path, 'r+');
  cleanup(() => handle.close());
  return handle;
}

/** Receives every body into one file, from its start, and answers with the number of its bytes. */
async function receive(subject: Subject, family: Family, options?: HttpReceiveFileOptions): Promise<Receiving> {
  const path = join(temporaryDirectory(), 'upload.bin');
  const handle = await openForWriting(path);
  const outcomes: unknown[] = [];
  const server = subject.http.createServer({}, (req, res) => {
    receiveFile(req, handle, options).then(
      (bytes) => {
        outcomes.push(bytes);
        res.end(String(bytes));
      },
      (error: unknown) => {
        outcomes.push((error as NodeJS.ErrnoException).code);
        res.statusCode = 400;
        res.end();
      },
    );
  });
  return { address: await listen(server, family), path, outcomes };
}

describe.each(everyWay)('receiveFile: $name over $family', ({ subject, family }) => {
  it('writes bodies of all lengths, one after the other on one connection', async () => {
    const { address, path, outcomes } = await receive(subject, family);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    const lengths = [0, 1, 1000, 65_536, 65_537, 300_000, 5_000_000, 10];
    for (const [i, length] of lengths.entries()) {
      writeFileSync(path, '');
      const body = pattern(length, i + 1);
      const answer = await request(
        { ...target(address), agent, method: 'PUT', headers: { 'Content-Length': length } },
        body,
      );
      expect(answer.body.toString()).toBe(String(length));
      expect(readFileSync(path).equals(body)).toBe(true);
    }
    expect(outcomes).toEqual(lengths);
    expect(Object.values(agent.freeSockets).flat().length).toBe(1);
  });

  it('writes a chunked body, and one that was to be continued', async () => {
    const { address, path } = await receive(subject, family);
    for (const headers of [
      { 'Transfer-Encoding': 'chunked' },
      { 'Content-Length': '200000', Expect: '100-continue' },
    ]) {
      writeFileSync(path, '');
      const body = pattern(200_000);
      const sent = http.request({ ...target(address), agent: false, method: 'POST', headers });
      const answered = new Promise<http.IncomingMessage>((resolve) => sent.on('response', resolve));
      if ('Expect' in headers) sent.on('continue', () => sent.end(body));
      else sent.end(body);
      expect((await answered).statusCode).toBe(200);
      expect(readFileSync(path).equals(body)).toBe(true);
    }
  });

  it('writes from a place in the file, and leaves the rest of it', async () => {
    const { address, path } = await receive(subject, family, { start: 1000 });
    const before = pattern(400_000, 7);
    writeFileSync(path, before);
    const body = pattern(300_000);
    await request({ ...target(address), agent: false, method: 'PUT' }, body);
    expect(readFileSync(path).equals(Buffer.concat([before.subarray(0, 1000), body, before.subarray(301_000)]))).toBe(
      true,
    );
  });

  it('takes pipelined bodies in pieces of all sizes, each to its own request', async () => {
    const directory = temporaryDirectory();
    const handles: FileHandle[] = [];
    for (let i = 0; i < 6; i++) handles.push(await openForWriting(join(directory, String(i))));
    const server = subject.http.createServer({}, (req, res) => {
      const handle = handles[Number(req.url?.slice(1))] as FileHandle;
      void receiveFile(req, handle).then((bytes) => res.end(`${String(bytes)};`));
    });
    const address = await listen(server, family);
    const bodies = [70_000, 10, 0, 200_000, 65_536, 3].map((length, i) => pattern(length, i + 1));
    const head = (i: number, length: number): Buffer =>
      Buffer.from(`PUT /${String(i)} HTTP/1.1\r\nHost: x\r\nContent-Length: ${String(length)}\r\n\r\n`);
    const all = Buffer.concat(bodies.flatMap((body, i) => [head(i, body.length), body]));
    for (const size of [all.length, 100_000, 7919, 50]) {
      const client = subject.connect(address);
      let text = '';
      client.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      for (let at = 0, pieces = 0; at < all.length; at += size) {
        client.write(all.subarray(at, at + size));
        if (++pieces % 20 === 0) await nextTurn();
      }
      while (text.split(';').length <= bodies.length) await nextTurn();
      client.destroy();
      expect([...text.matchAll(/(\d+);/g)].map(([, count]) => Number(count))).toEqual(
        bodies.map(({ length }) => length),
      );
      for (const [i, body] of bodies.entries()) {
        expect(readFileSync(join(directory, String(i))).equals(body)).toBe(true);
        writeFileSync(join(directory, String(i)), '');
      }
    }
  });

  it('takes large bodies below JS on native sockets, on any request of a connection', async () => {
    const path = join(temporaryDirectory(), 'below.bin');
    const handle = await openForWriting(path);
    const seen: { data: number; read: number }[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      const note = { data: 0, read: req.socket.bytesRead };
      const { push } = req;
      req.push = (chunk: Buffer | null) => {
        note.data += chunk?.length ?? 0;
        return push.call(req, chunk);
      };
      void receiveFile(req, handle).then((bytes) => {
        note.read = req.socket.bytesRead - note.read;
        seen.push(note);
        res.end(String(bytes));
      });
    });
    const address = await listen(server, family);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    const length = 8_000_000;
    for (let i = 0; i < 5; i++) {
      const body = pattern(length, i + 1);
      const headers = { 'Content-Length': length };
      expect((await request({ ...target(address), agent, method: 'PUT', headers }, body)).body.toString()).toBe(
        '8000000',
      );
      expect(readFileSync(path).equals(body)).toBe(true);
    }
    for (const { data, read } of seen) {
      expect(read).toBeGreaterThan(length - 70_000);
      expect(read).toBeLessThanOrEqual(length);
      if (subject.name === 'native') expect(data).toBeLessThan(1_000_000);
      else expect(data).toBeGreaterThan(length - 70_000);
    }
  });

  it('hears of an end within a body that is taken below JS', async () => {
    const { address, path, outcomes } = await receive(subject, family);
    const body = pattern(3_000_000);
    for (const requests of [0, 3]) {
      outcomes.length = 0;
      const client = subject.connect(address);
      client.on('error', () => undefined);
      for (let i = 0; i < requests; i++) {
        client.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi');
        await readBytes(client, 1);
      }
      client.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n');
      client.end(body);
      while (outcomes.length <= requests) await nextTurn();
      expect(outcomes.at(-1)).toBe('ECONNRESET');
      // A stream that is destroyed throws away what it has buffered; below JS there is nothing to throw away.
      const written = readFileSync(path);
      expect(written.equals(body.subarray(0, written.length))).toBe(true);
      if (subject.name === 'native') expect(written.length).toBe(body.length);
    }
  });

  it('starts late, when the parser has had some of the body', async () => {
    const path = join(temporaryDirectory(), 'late.bin');
    const handle = await openForWriting(path);
    const server = subject.http.createServer({}, (req, res) => {
      const afterTurns = (turns: number): void => {
        if (turns > 0) setImmediate(afterTurns, turns - 1);
        else void receiveFile(req, handle).then((bytes) => res.end(String(bytes)));
      };
      afterTurns(20);
    });
    const address = await listen(server, family);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    for (let i = 0; i < 5; i++) {
      const body = pattern(1_000_000, i + 1);
      const answer = await request(
        { ...target(address), agent, method: 'PUT', headers: { 'Content-Length': body.length } },
        body,
      );
      expect(answer.body.toString()).toBe('1000000');
      expect(readFileSync(path).equals(body)).toBe(true);
    }
  });

  it('refuses a body beyond its limit, told or not, and the connection lives on', async () => {
    const { address, outcomes } = await receive(subject, family, { maxBytes: 100_000 });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    const put = (length: number, headers: http.OutgoingHttpHeaders): Promise<Answer> =>
      request({ ...target(address), agent, method: 'PUT', headers }, pattern(length));
    const chunked = { 'Transfer-Encoding': 'chunked' };
    for (const headers of [{}, chunked]) {
      expect((await put(500_000, headers)).status).toBe(400);
      expect((await put(100_000, headers)).status).toBe(200);
    }
    const refused = 'ERR_NEARWIRE_BODY_TOO_LARGE';
    expect(outcomes).toEqual([refused, 100_000, refused, 100_000]);
    expect(Object.values(agent.freeSockets).flat().length).toBe(1);
  });

  it('fails where the file can not be written, and the connection lives on', async () => {
    const path = join(temporaryDirectory(), 'readonly.bin');
    writeFileSync(path, 'x');
    const handle = await open(path, 'r');
    cleanup(() => handle.close());
    const outcomes: unknown[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      receiveFile(req, handle).then(
        () => res.end(),
        (error: unknown) => {
          outcomes.push((error as NodeJS.ErrnoException).code);
          res.end('no');
        },
      );
    });
    const address = await listen(server, family);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    for (let i = 0; i < 4; i++) {
      const answer = await request({ ...target(address), agent, method: 'PUT' }, pattern(1_000_000));
      expect(answer.body.toString()).toBe('no');
    }
    expect(outcomes).toEqual(['EBADF', 'EBADF', 'EBADF', 'EBADF']);
  });

  it('fails when the client goes within the body, and leaves nothing open', async () => {
    const { address, path, outcomes } = await receive(subject, family);
    const before = descriptors();
    const body = pattern(300_000);
    const warm = 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi';
    for (const [i, sent] of [0, 10, 100_000, 299_999].entries()) {
      // On its first request, and on one of the later ones, which are read in another way.
      for (const requests of [0, 3]) {
        outcomes.length = 0;
        const client = subject.connect(address);
        client.on('error', () => undefined);
        for (let done = 0; done < requests; done++) {
          client.write(warm);
          await readBytes(client, 1);
        }
        writeFileSync(path, '');
        client.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n');
        client.write(body.subarray(0, sent));
        for (let turn = 0; turn < 10; turn++) await nextTurn();
        if (i % 2 === 0) client.destroy();
        else client.end();
        while (outcomes.length <= requests) await nextTurn();
        expect(outcomes).toEqual([...Array.from({ length: requests }, () => 2), 'ECONNRESET']);
        const written = readFileSync(path);
        expect(written.equals(body.subarray(0, written.length))).toBe(true);
        client.destroy();
      }
    }
    expect(await descriptorsBack(before)).toBeLessThanOrEqual(before);
  });

  it('keeps the pace of the disk', async () => {
    const { address, path } = await receive(subject, family);
    const body = pattern(20_000_000);
    await request({ ...target(address), agent: false, method: 'PUT' }, body);
    expect(readFileSync(path).equals(body)).toBe(true);
  });

  it('refuses arguments that make no sense', async () => {
    const codes: unknown[] = [];
    const server = subject.http.createServer({}, (req, res) => {
      const call = receiveFile as (...words: unknown[]) => Promise<unknown>;
      const wrong: (() => unknown[])[] = [
        () => [{}, 1],
        () => [req, 'path'],
        () => [req, -1],
        () => [req, 1, () => undefined],
        () => [req, 1, null],
        () => [req, 1, { start: -1 }],
        () => [req, 1, { maxBytes: 0.5 }],
        () => [req, 1, { signal: 'now' }],
        () => [req.setEncoding('utf8'), 1],
      ];
      void Promise.all(wrong.map((words) => failure(call(...words())))).then((errors) => {
        codes.push(...errors.map((error) => error?.code));
        res.end();
      });
    });
    const address = await listen(server, family);
    await request({ ...target(address), agent: false, method: 'PUT' }, 'body');
    expect(codes).toEqual([
      'ERR_INVALID_ARG_TYPE',
      'ERR_INVALID_ARG_TYPE',
      'ERR_OUT_OF_RANGE',
      'ERR_INVALID_ARG_TYPE',
      'ERR_INVALID_ARG_TYPE',
      'ERR_OUT_OF_RANGE',
      'ERR_OUT_OF_RANGE',
      'ERR_INVALID_ARG_TYPE',
      'ERR_INVALID_ARG_VALUE',
    ]);
  });
});
