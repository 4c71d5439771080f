/** The work that each HTTP program does, whatever its client library and its server. */
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { bodyOf, bodyStream, compare, lengthOf, MIB, StreamCheck } from './bodies.js';
import type { Stats, UploadResult } from './observer.js';

export interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Buffer | Readable;
  readonly signal?: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly body: Readable;
}

/** Sends a request, and answers when the head of the response is there. */
export type Sender = (request: Request) => Promise<Reply>;

/** How much of it; `FULL` for each program once a transport, `LIGHT` on its other ways. */
export interface Amount {
  readonly requests: number;
  /** Bytes of the long upload and download. */
  readonly long: number;
  readonly aborts: number;
  /** Bytes of the download whose reader stops: at least twice what all buffers between source and reader hold. */
  readonly unread: number;
}

export const FULL = { requests: 10_000, long: 100 * MIB, aborts: 50 };
export const LIGHT = { requests: 500, long: 8 * MIB, aborts: 10 };
/**
 * Linux lets a TCP socket take 32 MiB that nobody reads (`tcp_rmem`, from 6.16 on), and 4 MiB more that wait to be sent
 * to it: that twice where a proxy stands between, and what the processes hold.
 */
export const UNREAD = { unix: 64 * MIB, tcp: 192 * MIB };

/** Requests under way at a time. */
const CONCURRENCY = 24;
/** Bytes of a body that is slow, or is broken off long before its end. */
const SLOW_LENGTH = 64 * MIB;
/** The source has stopped when this many requests on other connections have seen it give nothing more. */
const STILL_POLLS = 20;

/** An upload is aborted after 2 MiB: more than the socket buffers of both ends take. */
const ABORT_AFTER_PIECES = 32;

export interface WorkResult {
  readonly requests: number;
  readonly bytes: number;
  readonly downloaded: number;
  readonly uploaded: number;
  /** What the source had given when its reader had stopped reading for a while. */
  readonly heldBackAt: number;
  readonly stats: Stats;
}

export async function readBody({ body }: Reply): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

async function expectOk(reply: Reply, path: string): Promise<Reply> {
  if (reply.status >= 200 && reply.status < 300) return reply;
  throw new Error(`${path} answered ${String(reply.status)}: ${(await readBody(reply)).toString('utf8', 0, 200)}`);
}

/** Does `each` for 0 .. count - 1, some at a time. */
export async function inParallel(count: number, atATime: number, each: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await each(next++);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}

/** Bodies of all sizes, made by the server and sent back by it, each compared. Answers the number of bytes. */
async function exchange(send: Sender, count: number): Promise<number> {
  let bytes = 0;
  await inParallel(count, CONCURRENCY, async (i) => {
    const length = lengthOf(i);
    const wanted = bodyOf(i, length);
    const isEcho = i % 2 === 0;
    const path = isEcho ? '/echo' : `/bytes?seed=${String(i)}&length=${String(length)}`;
    const reply = await send(isEcho ? { method: 'POST', path, body: wanted } : { method: 'GET', path });
    compare(path, await readBody(await expectOk(reply, path)), wanted);
    bytes += length;
  });
  return bytes;
}

async function download(send: Sender, length: number): Promise<number> {
  const path = `/stream?length=${String(length)}`;
  const reply = await expectOk(await send({ method: 'GET', path }), path);
  const check = new StreamCheck();
  for await (const chunk of reply.body) check.add(chunk as Buffer);
  return checkedLength(path, check.length, length);
}

async function upload(send: Sender, length: number, speed: 'fast' | 'slow'): Promise<number> {
  const path = `/upload?speed=${speed}`;
  const reply = await expectOk(await send({ method: 'POST', path, body: bodyStream(length) }), path);
  const result = JSON.parse((await readBody(reply)).toString()) as UploadResult;
  return checkedLength(path, result.length, length);
}

function checkedLength(path: string, length: number, wanted: number): number {
  if (length !== wanted) throw new Error(`${path}: ${String(length)} bytes of ${String(wanted)} came`);
  return length;
}

export async function statsOf(send: Sender): Promise<Stats> {
  const reply = await expectOk(await send({ method: 'GET', path: '/stats' }), '/stats');
  return JSON.parse((await readBody(reply)).toString()) as Stats;
}

/** A reader that stops after the first chunk: the source must stop too. Then it reads on, a chunk a turn. */
async function slowReader(send: Sender, length: number): Promise<number> {
  const path = `/stream?length=${String(length)}`;
  const { body } = await expectOk(await send({ method: 'GET', path }), path);
  const check = new StreamCheck();
  body.on('data', (chunk: Buffer) => {
    check.add(chunk);
    body.pause();
  });
  await once(body, 'pause');
  let { produced } = await statsOf(send);
  for (let still = 0; still < STILL_POLLS; still++) {
    const now = (await statsOf(send)).produced;
    if (now !== produced) still = 0;
    produced = now;
  }
  const ended = once(body, 'end');
  body.on('pause', () => setImmediate(() => body.resume()));
  body.resume();
  await ended;
  checkedLength(path, check.length, length);
  if (produced > length / 2) throw new Error(`a source went on to ${String(produced)} bytes without a reader`);
  return produced;
}

/** Clients that go away in the middle of an answer and in the middle of their body. */
async function abort(send: Sender, count: number): Promise<void> {
  const before = (await statsOf(send)).aborted;
  await inParallel(count, CONCURRENCY, async (i) => {
    const controller = new AbortController();
    const { signal } = controller;
    if (i % 2 === 0) {
      const { body } = await send({ method: 'GET', path: `/stream?length=${String(SLOW_LENGTH)}`, signal });
      body.on('error', () => undefined);
      await once(body, 'data');
      controller.abort();
      if (!body.closed) await new Promise((resolve) => body.once('close', resolve));
      return;
    }
    let sent = 0;
    const source = bodyStream(SLOW_LENGTH, () => {
      sent++;
      // So much has left that the server is at it.
      if (sent === ABORT_AFTER_PIECES) controller.abort();
    });
    source.on('error', () => undefined);
    await send({ method: 'POST', path: '/upload?speed=fast', body: source, signal }).then(
      () => {
        throw new Error('an aborted upload was answered');
      },
      () => undefined,
    );
  });
  // The server hears of it by and by; that it never does is caught by the time limit of the test.
  while ((await statsOf(send)).aborted - before < count) await new Promise((resolve) => setImmediate(resolve));
}

/** All of it, one after another. */
export async function doWork(send: Sender, amount: Amount): Promise<WorkResult> {
  const bytes = await exchange(send, amount.requests);
  const downloaded = await download(send, amount.long);
  const uploaded = await upload(send, amount.long, 'fast');
  await upload(send, Math.min(amount.long, SLOW_LENGTH), 'slow');
  const heldBackAt = await slowReader(send, amount.unread);
  await abort(send, amount.aborts);
  // The server is as good as before.
  await exchange(send, 100);
  return { requests: amount.requests, bytes, downloaded, uploaded, heldBackAt, stats: await statsOf(send) };
}
