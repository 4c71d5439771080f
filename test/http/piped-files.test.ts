/** `createReadStream(path).pipe(response)`: what clients get, and what a program that looks into the stream sees. */
import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import * as fs from 'node:fs';
import type * as http from 'node:http';
import { createRequire } from 'node:module';
import * as net from 'node:net';
import { join } from 'node:path';
import { pipeline, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { registerFileStreams } from 'nearwire/http';
import { chill, descriptors, descriptorsBack, makeFile, testFile, type TestFile } from '../support/files.js';
import { request, target } from '../support/http.js';
import {
  cleanup,
  closed,
  listen,
  nextTurn,
  pattern,
  record,
  temporaryDirectory,
  type Address,
} from '../support/sockets.js';
import { everyWay, reference, sendsByReference, subjects, type Family, type Subject } from '../support/subjects.js';

registerFileStreams();

const PIECE = 64 * 1024;
const SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 300_000, 1_500_000];

/** Of the shorter ones a socket's stream takes several before it asks for a pause, whether the kernel does or not. */
const PIECES = [PIECE, 10_000];

type Read = (error: Error | null, got: number, memory: Buffer) => void;

type FsOptions = Exclude<Parameters<typeof fs.createReadStream>[1], string | undefined>;

/** Pipes the file of each request, by its target. */
interface Service {
  address: Address;
  streams: fs.ReadStream[];
  responses: http.ServerResponse[];
}

async function serveFiles(
  subject: Subject,
  family: Family,
  files: Readonly<Record<string, TestFile>>,
  then: (stream: fs.ReadStream, response: http.ServerResponse, url: string) => void = () => undefined,
  options: FsOptions = {},
): Promise<Service> {
  const streams: fs.ReadStream[] = [];
  const responses: http.ServerResponse[] = [];
  const server = subject.http.createServer({}, (request, response) => {
    const url = String(request.url);
    const { path, bytes } = files[url] as TestFile;
    if (url.includes('length')) response.setHeader('Content-Length', bytes.length);
    const stream = fs.createReadStream(path, options);
    streams.push(stream);
    responses.push(response);
    stream.on('error', () => response.destroy());
    stream.pipe(response);
    then(stream, response, url);
  });
  return { address: await listen(server, family), streams, responses };
}

function manyFiles(count: number, size: number): Record<string, TestFile> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`/${String(i)}`, testFile(size + i, i + 1)]));
}

function get(address: Address, path: string): Promise<Buffer> {
  return request({ ...target(address), path, agent: false }).then(({ body }) => body);
}

/** Reads by hand, with pauses of the event loop between pieces, and returns all that came. */
async function readSlowly(address: Address, text: string): Promise<Buffer> {
  const client = net.connect(address as net.NetConnectOpts);
  cleanup(() => client.destroy());
  client.write(text);
  const pieces: Buffer[] = [];
  for await (const piece of client) {
    pieces.push(piece as Buffer);
    await nextTurn();
    await nextTurn();
  }
  return Buffer.concat(pieces);
}

const GET = (path: string, version = '1.1'): string =>
  `GET ${path} HTTP/${version}\r\nHost: x\r\nConnection: close\r\n\r\n`;

function bodyOf(message: Buffer): Buffer {
  return message.subarray(message.indexOf('\r\n\r\n') + 4);
}

describe.each(everyWay)('a file piped to a response: $name over $family', ({ subject, family }) => {
  it.each(SIZES)('of %i bytes arrives whole, with a length and without', async (size) => {
    const file = makeFile(size);
    const { address, streams } = await serveFiles(subject, family, { '/length': file, '/chunked': file });
    for (const path of ['/length', '/chunked', '/chunked']) {
      const body = await get(address, path);
      expect(body.equals(file.bytes)).toBe(true);
    }
    for (const stream of streams) expect(stream.bytesRead).toBe(size);
  });

  it.each(PIECES)(
    'gives each of 64 clients at once its own file, slow ones too, in pieces of %i',
    async (highWaterMark) => {
      const files = manyFiles(64, 150_000);
      const { address } = await serveFiles(subject, family, files, undefined, { highWaterMark });
      const bodies = Object.keys(files).map(async (path, i) => {
        if (i % 2 === 0) return get(address, path);
        return bodyOf(await readSlowly(address, GET(path, '1.0')));
      });
      for (const [i, [path, { bytes }]] of Object.entries(files).entries())
        expect((await bodies[i])?.equals(bytes), path).toBe(true);
    },
  );

  it.each(PIECES)(
    'gives clients their own files while one of them never reads, in pieces of %i',
    async (highWaterMark) => {
      const files = { ...manyFiles(8, 400_000), '/never': testFile(2_000_000, 99) };
      const { address, streams } = await serveFiles(subject, family, files, undefined, { highWaterMark });
      const never = net.connect(address as net.NetConnectOpts);
      cleanup(() => never.destroy());
      never.pause().write(GET('/never', '1.0'));
      while (!streams.some(({ bytesRead }) => bytesRead >= 2 * PIECE)) await nextTurn();
      for (let round = 0; round < 3; round++)
        for (let i = 0; i < 8; i++) {
          const path = `/${String(i)}` as '/never';
          expect((await get(address, path)).equals(files[path].bytes)).toBe(true);
        }
      const late: Buffer[] = [];
      never.on('data', (piece: Buffer) => late.push(piece)).resume();
      await closed(never);
      expect(bodyOf(Buffer.concat(late)).equals(files['/never'].bytes)).toBe(true);
    },
  );

  it('answers pipelined requests in order, each with its own file', async () => {
    const files = {
      '/length/a': testFile(200_000, 1),
      '/length/b': testFile(200_000, 2),
      '/length/c': testFile(10, 3),
    };
    const { address } = await serveFiles(subject, family, files);
    const asked = Object.keys(files).map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const all = await readSlowly(address, asked.join('') + GET('/length/a'));
    let at = 0;
    for (const { bytes } of [...Object.values(files), files['/length/a']]) {
      at = all.indexOf('\r\n\r\n', at) + 4;
      expect(all.subarray(at, at + bytes.length).equals(bytes)).toBe(true);
      at += bytes.length;
    }
    expect(at).toBe(all.length);
  });

  /** Each of these programs sees pieces, and keeps them; their number and lengths are node's own matter. */
  const LOOKS: Record<string, (stream: fs.ReadStream, response: http.ServerResponse, seen: Buffer[]) => void> = {
    "a listener of 'data'": (stream, _, seen) => {
      stream.on('data', (piece) => seen.push(piece as Buffer));
    },
    "a listener of 'data' in 'open'": (stream, _, seen) => {
      stream.on('open', () => stream.on('data', (piece) => seen.push(piece as Buffer)));
    },
    "a listener of 'data' before the pipe's": (stream, _, seen) => {
      stream.prependListener('data', (piece) => seen.push(piece as Buffer));
    },
    'its own push()': (stream, _, seen) => {
      const { push } = stream;
      stream.push = (piece: Buffer | null, encoding?: BufferEncoding) => {
        if (piece !== null) seen.push(piece);
        return push.call(stream, piece, encoding);
      };
    },
    'its own emit()': (stream, _, seen) => {
      const { emit } = stream;
      stream.emit = (event: string | symbol, ...args: unknown[]): boolean => {
        if (event === 'data') seen.push(args[0] as Buffer);
        return Reflect.apply(emit, stream, [event, ...args]);
      };
    },
    'its own write()': (_, response, seen) => {
      const write = response.write.bind(response) as (piece: Buffer) => boolean;
      response.write = (piece: Buffer) => {
        seen.push(piece);
        return write(piece);
      };
    },
    'a second pipe': (stream, _, seen) => {
      stream.pipe(
        new Writable({
          write(piece: Buffer, _encoding, done) {
            seen.push(piece);
            done();
          },
        }),
      );
    },
    "the socket's own write()": (_, response, seen) => {
      const socket = response.socket as net.Socket;
      const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
      socket.write = (...args: unknown[]) => {
        if (Buffer.isBuffer(args[0])) seen.push(args[0]);
        return write(...args);
      };
    },
  };

  it.each(Object.entries(LOOKS))('a program with %s may keep what it sees', async (_, look) => {
    const files = manyFiles(4, 250_000);
    const seen = new Map<string, Buffer[]>();
    const { address } = await serveFiles(subject, family, files, (stream, response, url) => {
      const pieces: Buffer[] = [];
      seen.set(url, pieces);
      look(stream, response, pieces);
    });
    await Promise.all(
      Object.entries(files).map(async ([path, { bytes }]) => {
        expect(bodyOf(await readSlowly(address, GET(path, '1.0'))).equals(bytes)).toBe(true);
      }),
    );
    for (const [path, { bytes }] of Object.entries(files))
      expect(Buffer.concat(seen.get(path) ?? []).equals(bytes), path).toBe(true);
  });

  it('a program that unpipes it has the rest, in memory of its own', async () => {
    const file = testFile(900_000, 5);
    const rests: Buffer[][] = [];
    const { address, responses } = await serveFiles(subject, family, { '/': file }, (stream, response) => {
      const rest: Buffer[] = [];
      rests.push(rest);
      response.once('drain', () => {
        stream.unpipe(response);
        for (let piece = stream.read() as Buffer | null; piece !== null; piece = stream.read() as Buffer | null)
          rest.push(piece);
        stream.on('data', (piece) => rest.push(piece as Buffer)).on('end', () => response.end());
      });
    });
    const begin = async (): Promise<Buffer> => bodyOf(await readSlowly(address, GET('/', '1.0')));
    const bodies = await Promise.all([begin(), begin(), begin()]);
    for (const [i, body] of bodies.entries()) {
      expect(Buffer.concat([body, ...(rests[i] as Buffer[])]).equals(file.bytes)).toBe(true);
      for (const { buffer, byteLength } of rests[i] as Buffer[]) expect(buffer.byteLength).toBe(byteLength);
    }
    expect(responses).toHaveLength(3);
  });

  it('a program may pause and resume it, and cork its socket', async () => {
    const file = testFile(700_000, 6);
    const { address } = await serveFiles(subject, family, { '/': file }, (stream, response) => {
      let turns = 0;
      const disturb = (): void => {
        if (stream.destroyed || response.destroyed) return;
        if (turns++ % 2 === 0) {
          stream.pause();
          response.socket?.cork();
        } else {
          stream.resume();
          response.socket?.uncork();
        }
        setImmediate(disturb);
      };
      disturb();
    });
    const bodies = await Promise.all([1, 2, 3].map(() => get(address, '/')));
    for (const body of bodies) expect(body.equals(file.bytes)).toBe(true);
  });

  it.each<[string, FsOptions, [number, number]]>([
    ['start', { start: 70_000 }, [70_000, 300_000]],
    ['end', { end: 99 }, [0, 100]],
    ['start and end', { start: PIECE - 1, end: 2 * PIECE }, [PIECE - 1, 2 * PIECE + 1]],
    ['start behind the end', { start: 400_000 }, [0, 0]],
    ['highWaterMark of 1000', { highWaterMark: 1000 }, [0, 300_000]],
    ['highWaterMark of 1 MiB', { highWaterMark: 1024 * 1024 }, [0, 300_000]],
    ['an encoding', { encoding: 'latin1' }, [0, 300_000]],
  ])('honours %s', async (_, options, [from, to]) => {
    const bytes = pattern(300_000, 3).map((byte) => byte & 127);
    const path = join(temporaryDirectory(), 'file');
    fs.writeFileSync(path, bytes);
    const { address } = await serveFiles(
      subject,
      family,
      { '/': { path, bytes: Buffer.from(bytes) } },
      undefined,
      options,
    );
    const body = await get(address, '/');
    expect(body.equals(Buffer.from(bytes.subarray(from, to)))).toBe(true);
  });

  it("reads a program's descriptor from where it stands, and moves it", async () => {
    const { path, bytes } = makeFile(200_000);
    const fd = fs.openSync(path, 'r');
    fs.readSync(fd, Buffer.alloc(5));
    const server = subject.http.createServer({}, (_, response) => {
      fs.createReadStream('', { fd, end: 149_999, autoClose: false }).pipe(response);
    });
    const address = await listen(server, family);
    expect((await get(address, '/')).equals(bytes.subarray(5, 150_005))).toBe(true);
    const next = Buffer.alloc(4);
    fs.readSync(fd, next);
    fs.closeSync(fd);
    expect(next.equals(bytes.subarray(150_005, 150_009))).toBe(true);
  });

  it.each(['the stream', 'the response', 'the client'])('closes its descriptor when %s is destroyed', async (what) => {
    const before = descriptors();
    const file = testFile(3_000_000, 8);
    const { address, streams } = await serveFiles(subject, family, { '/': file }, (stream, response) => {
      response.on('close', () => stream.destroy());
      if (what === 'the client') return;
      response.once('drain', () => (what === 'the stream' ? stream : response).destroy());
      stream.on('close', () => response.destroy());
    });
    for (let i = 0; i < 3; i++) {
      const client = net.connect(address as net.NetConnectOpts);
      client.on('error', () => undefined);
      client.write(GET('/', '1.0'));
      if (what === 'the client') client.once('data', () => client.destroy());
      await closed(client.resume());
    }
    await Promise.all(streams.filter((stream) => !stream.closed).map((stream) => once(stream, 'close')));
    expect(await descriptorsBack(before + 1)).toBeLessThanOrEqual(before + 1);
  });

  it('sends what a file has by the time it is read', async () => {
    const [shrinking, growing] = [testFile(1_500_000, 1), testFile(1_500_000, 2)];
    const { address } = await serveFiles(
      subject,
      family,
      { '/shrinking': shrinking, '/growing': growing },
      (_, response, url) => {
        response.once('drain', () => {
          if (url === '/growing') fs.appendFileSync(growing.path, 'more');
          else fs.truncateSync(shrinking.path, 1_000_000);
        });
      },
    );
    expect((await get(address, '/shrinking')).equals(shrinking.bytes.subarray(0, 1_000_000))).toBe(true);
    expect((await get(address, '/growing')).equals(Buffer.concat([growing.bytes, Buffer.from('more')]))).toBe(true);
  });

  it.each(['EISDIR', 'ENOENT'])('tells %s to the stream', async (code) => {
    const folder = temporaryDirectory();
    const errors: unknown[] = [];
    const server = subject.http.createServer({}, (_, response) => {
      const stream = fs.createReadStream(code === 'EISDIR' ? folder : join(folder, 'none'));
      stream.on('error', (error: NodeJS.ErrnoException) => {
        errors.push(error.code);
        response.writeHead(500).end('failed');
      });
      stream.pipe(response);
    });
    const { status } = await request({ ...target(await listen(server, family)), agent: false });
    expect([status, errors]).toEqual([500, [code]]);
  });

  it('reads with functions of fs that a program has given, or replaced', async () => {
    const { path } = makeFile(100_000);
    const read = ((fd: number, memory: Buffer, offset: number, length: number, at: number, done: Read) => {
      const filled = (error: Error | null, got: number): void => {
        memory.fill('z', offset, offset + got);
        done(error, got, memory);
      };
      original(fd, memory, offset, length, at, filled);
    }) as unknown as typeof fs.read;
    const nodesFs = createRequire(import.meta.url)('node:fs') as { read: typeof fs.read };
    const { read: original } = nodesFs;
    const given = { open: fs.open, close: fs.close, read };
    const served = async (options: FsOptions): Promise<string> => {
      const { address } = await serveFiles(
        subject,
        family,
        { '/': { path, bytes: Buffer.alloc(0) } },
        undefined,
        options,
      );
      return (await get(address, '/')).toString('latin1');
    };
    expect(await served({ fs: given })).toBe('z'.repeat(100_000));
    nodesFs.read = read;
    try {
      expect(await served({})).toBe('z'.repeat(100_000));
    } finally {
      nodesFs.read = original;
    }
  });

  it('reads what is not in memory', async () => {
    const file = makeFile(500_000);
    const { address } = await serveFiles(subject, family, { '/': file });
    chill(file.path);
    expect((await get(address, '/')).equals(file.bytes)).toBe(true);
    expect((await get(address, '/')).equals(file.bytes)).toBe(true);
  });

  it('is a part of a pipeline, whose end it tells', async () => {
    const file = makeFile(300_000);
    const ends: unknown[] = [];
    const server = subject.http.createServer({}, (_, response) => {
      pipeline(fs.createReadStream(file.path), response, (error) => ends.push(error?.code));
    });
    const address = await listen(server, family);
    expect((await get(address, '/')).equals(file.bytes)).toBe(true);
    const client = net.connect(address as net.NetConnectOpts);
    client.on('error', () => undefined);
    client.write(GET('/', '1.0'));
    client.once('data', () => client.destroy());
    while (ends.length < 2) await nextTurn();
    expect(ends[0]).toBeUndefined();
  });

  it.each([100, 200_000, 2_000_000])('has the events of node:net, in their order, for %i bytes', async (size) => {
    const file = makeFile(size);
    const eventsOf = async (of: Subject): Promise<Record<string, string[]>> => {
      const seen = { stream: [] as string[], response: [] as string[] };
      let over: Promise<unknown> | undefined;
      const server = of.http.createServer({}, (_, response) => {
        const stream = fs.createReadStream(file.path);
        record(stream, ['open', 'ready', 'end', 'error', 'close'], seen.stream);
        record(response, ['pipe', 'unpipe', 'finish', 'close', 'error'], seen.response);
        over = Promise.all([once(stream, 'close'), once(response, 'close')]);
        stream.pipe(response);
      });
      const address = await listen(server, family);
      expect((await get(address, '/')).equals(file.bytes)).toBe(true);
      await over;
      return seen;
    };
    expect(await eventsOf(subject)).toEqual(await eventsOf(reference));
  });
});

describe.runIf(sendsByReference())('reads of what is in memory', () => {
  /** Requests to the thread pool that reading a file of two pieces took. */
  async function poolRequests(subject: Subject, then?: (stream: fs.ReadStream) => void): Promise<number> {
    const file = makeFile(2 * PIECE);
    const { address, streams } = await serveFiles(subject, 'unix', { '/': file }, then);
    const getOne = async (): Promise<void> => {
      // Without a length: the client has its end once the stream has.
      await get(address, '/');
      const last = streams.at(-1) as fs.ReadStream;
      if (!last.closed) await once(last, 'close');
    };
    await getOne();
    let requests = 0;
    const hook = createHook({
      init(_, type) {
        if (type === 'FSREQCALLBACK') requests++;
      },
    }).enable();
    await getOne();
    hook.disable();
    return requests;
  }

  it('need no thread', async () => {
    const native = subjects.find(({ name }) => name === 'native') as Subject;
    // Opened, read three times, closed.
    expect(await poolRequests(reference)).toBe(5);
    expect(await poolRequests(native)).toBe(2);
    // Where a program's fs has other files behind the numbers of its descriptors.
    const nodesFs = createRequire(import.meta.url)('node:fs') as { fstatSync: typeof fs.fstatSync };
    const { fstatSync } = nodesFs;
    nodesFs.fstatSync = (() => fs.statSync('.')) as unknown as typeof fs.fstatSync;
    cleanup(() => (nodesFs.fstatSync = fstatSync));
    expect(await poolRequests(native)).toBe(5);
    nodesFs.fstatSync = fstatSync;
    // A program that looks into it has it as node reads it.
    expect(await poolRequests(native, (stream) => void stream.on('data', () => undefined))).toBe(5);
  });
});
