/** A connection that is closed when the kernel has taken all, before the program has been told so: it has been sent. */
import { once } from 'node:events';
import { truncateSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { sendFile } from 'nearwire';
import { sendFile as sendResponse } from 'nearwire/http';
import { channelWays, readNow, withNetPeer } from '../support/channels.js';
import { failure, makeFile, testFile } from '../support/files.js';
import { betweenSentAndTold } from '../support/poll-phase.js';
import { cleanup, listen, nextTurn, pattern, type Address } from '../support/sockets.js';
import { everyWay, type Family, type Subject } from '../support/subjects.js';

/** More than the kernel holds. Whole windows of the portable build, which reads one at a time: each waits for room. */
const SIZE = 64 * 256 * 1024;

/** Of a file that was cut short: the connection was closed before, or after, that was noticed. */
const CUT_SHORT = ['ECANCELED', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_NEARWIRE_FILE_TRUNCATED'];

async function connected(address: Address): Promise<net.Socket> {
  const peer = net.connect({ ...address, allowHalfOpen: true } as net.NetConnectOpts).pause();
  peer.on('error', () => undefined);
  cleanup(() => peer.destroy());
  await once(peer, 'connect');
  return peer;
}

/** An accepted socket, and its peer. */
async function accepted(subject: Subject, family: Family): Promise<{ socket: net.Socket; peer: net.Socket }> {
  const server = subject.createServer();
  const come = once(server, 'connection') as Promise<[net.Socket]>;
  const peer = await connected(await listen(server, family));
  const [socket] = await come;
  socket.on('error', () => undefined);
  return { socket, peer };
}

/**
 * What the kernel has not taken of a socket's writes. The stream counts a write until it has been told. (What is served
 * without a stream has no connection of its own, and would get one here.)
 */
function leftOf(socket: net.Socket): number {
  const connection = Object.getOwnPropertyDescriptor(socket, '_connection')?.value as { queued: number } | undefined;
  return connection?.queued ?? socket.writableLength;
}

/** Whether the kernel has taken so many bytes. */
function hasTaken(socket: net.Socket, bytes: number): boolean {
  return socket.bytesWritten >= bytes && leftOf(socket) === 0;
}

interface Tracked {
  failure: Promise<NodeJS.ErrnoException | undefined>;
  isTold: boolean;
}

/** A `sendFile`. */
function track(promise: Promise<number>): Tracked {
  const tracked: Tracked = { failure: failure(promise), isTold: false };
  void tracked.failure.then(() => (tracked.isTold = true));
  return tracked;
}

/** What is left for the peer to read. */
async function restOf(peer: net.Socket): Promise<number> {
  let length = 0;
  peer.on('data', (chunk: Buffer) => (length += chunk.length)).resume();
  await once(peer, 'end');
  return length;
}

type Asked = (response: ServerResponse, told: (outcome: unknown) => void) => void;

/** One request, whose response is of SIZE bytes. Its connection is closed when the kernel has taken them. */
async function closedWhenSent(subject: Subject, family: Family, answer: Asked): Promise<unknown[]> {
  const told: unknown[] = [];
  let response: ServerResponse | undefined;
  const server = subject.http.createServer({}, (_, res) => {
    response = res;
    res.on('finish', () => told.push('finish'));
    answer(res, (outcome) => told.push(outcome));
  });
  const peer = await connected(await listen(server, family));
  peer.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  while (response === undefined) await nextTurn();
  const { req } = response;
  const received = await betweenSentAndTold({
    peer,
    isIt: () => hasTaken(req.socket, SIZE + String((response as unknown as { _header: string | null })._header).length),
  });
  req.socket.destroy();
  while (!response.closed) await nextTurn();
  told.push(received + (await restOf(peer)) >= SIZE);
  return told;
}

describe.each(everyWay)('closed as soon as all is sent: $name over $family', ({ subject, family }) => {
  it('a file on a socket has been sent', async () => {
    const { path } = testFile(SIZE);
    const { socket, peer } = await accepted(subject, family);
    const outcome = track(sendFile(socket, path));
    const isIt = (): boolean => outcome.isTold || (subject.name === 'native' && hasTaken(socket, SIZE));
    const received = await betweenSentAndTold({ peer, isIt });
    socket.destroy();
    expect(await outcome.failure).toBe(undefined);
    expect(received + (await restOf(peer))).toBe(SIZE);
  });

  it('a file has not been sent while the kernel has no room for its end', async () => {
    const { path } = testFile(SIZE);
    const { socket, peer } = await accepted(subject, family);
    const outcome = failure(sendFile(socket, path));
    let received = 0;
    while (socket.bytesWritten < SIZE) {
      received += readNow(peer).length;
      await nextTurn();
    }
    socket.destroy();
    const code = (await outcome)?.code;
    received += await restOf(peer);
    expect(code).toBe(received < SIZE ? 'ECANCELED' : undefined);
  });

  it('nor one that was cut short before the program has been told so', async () => {
    const { path } = testFile(SIZE);
    const { socket, peer } = await accepted(subject, family);
    const outcome = failure(sendFile(socket, path));
    while (socket.bytesWritten === 0) await nextTurn();
    truncateSync(path);
    await betweenSentAndTold({ peer, isIt: () => true });
    socket.destroy();
    expect(CUT_SHORT).toContain((await outcome)?.code);
  });

  it('so have writes', async () => {
    const { socket, peer } = await accepted(subject, family);
    const told: unknown[] = [];
    const note = (error?: Error | null): unknown => told.push(error ?? 'sent');
    socket.write('first', note);
    socket.write(pattern(SIZE - 5), note);
    await betweenSentAndTold({ peer, isIt: () => hasTaken(socket, SIZE) });
    socket.destroy();
    await once(socket, 'close');
    expect(told).toEqual(['sent', 'sent']);
  });

  it('a file as a response has been sent', async () => {
    const { path } = makeFile(SIZE);
    const told = await closedWhenSent(subject, family, (response, tell) => {
      sendResponse(response, path).then(tell, tell);
    });
    expect(told).toEqual(['finish', SIZE, true]);
  });

  it('one that was cut short has not', async () => {
    const { path } = makeFile(SIZE);
    const told: unknown[] = [];
    const server = subject.http.createServer({}, (_, response) => {
      response.on('finish', () => told.push('finish'));
      void failure(sendResponse(response, path)).then((error) => told.push(error?.code));
      response.once('close', () => told.push('close'));
    });
    const requested = once(server, 'request') as Promise<[IncomingMessage]>;
    const peer = await connected(await listen(server, family));
    peer.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const [{ socket }] = await requested;
    while (socket.bytesWritten === 0) await nextTurn();
    truncateSync(path);
    await betweenSentAndTold({ peer, isIt: () => true });
    socket.destroy();
    while (told.length < 2) await nextTurn();
    expect(told).not.toContain('finish');
    expect(CUT_SHORT).toContain(told.find((outcome) => outcome !== 'close'));
  });

  it("so has one on a socket that node's own code serves", async () => {
    const { path } = makeFile(SIZE);
    const told = await closedWhenSent(subject, family, (response, tell) => {
      response.req.socket.on('data', () => undefined);
      sendResponse(response, path).then(tell, tell);
    });
    expect(told).toEqual(['finish', SIZE, true]);
  });

  it('so has a response that was written whole', async () => {
    const told = await closedWhenSent(subject, family, (response, tell) => {
      response.writeHead(200, { 'Content-Length': SIZE });
      response.end(pattern(SIZE), ((error?: Error | null) => {
        tell(error ?? 'sent');
      }) as () => void);
    });
    expect(told.sort()).toEqual(['finish', 'sent', true]);
  });
});

describe.each(channelWays)('a channel closed as soon as all is sent: $transport over $family', (way) => {
  it('has sent its file', async () => {
    const { path } = testFile(SIZE);
    const { channel, peer } = await withNetPeer(way.transport, way.family, {});
    const outcome = track(channel.sendFile(path));
    const isIt = (read: number): boolean =>
      outcome.isTold || (way.transport === 'native' && read > 0 && channel.bufferedAmount === 0);
    const received = await betweenSentAndTold({ peer, isIt });
    channel.destroy();
    expect(await outcome.failure).toBe(undefined);
    expect(received + (await restOf(peer))).toBe(SIZE);
  });
});
