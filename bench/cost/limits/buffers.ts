/**
 * Buffers: nothing fails when one is full. Of an answer to a user who does not read, nginx keeps in a file what it has no
 * room for, and an application keeps what its kernel does not take.
 */
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { createServer, type HttpServer } from '../../../src/http.js';
import { addonStatus } from '../../../src/native.js';
import type { Limit, Reading } from './model.js';
import { withFront, type Lab } from './servers.js';

const LARGEST = 4 * 1024 * 1024;
/** How finely is looked, and what an answer is made of. */
const PAGE = 4096;

export async function driveProxyBuffers(lab: Lab): Promise<Limit> {
  return {
    name: 'proxy-buffers',
    title: "nginx's buffers, beyond which it writes answers to a file",
    drive:
      'nginx passes on an answer to a user on a UNIX socket who does not read it: the largest of which all is buffered.',
    ...{ unit: 'bytes', watch: "nginx's error log, at level warn" },
    readings: [
      await spool(lab, 'nothing set: proxy_buffers 8 4k', ''),
      await spool(lab, 'proxy_buffers 64 32k', 'proxy_buffers 64 32k;'),
      await spool(lab, 'proxy_max_temp_file_size 0', 'proxy_max_temp_file_size 0;'),
    ],
  };
}

export async function driveSendBuffer(lab: Lab): Promise<Limit> {
  const limit = {
    name: 'send-buffer',
    title: "The send buffer of an application's UNIX socket",
    drive: 'The largest answer that leaves the application though nobody reads it. A larger one stays in its memory.',
    ...{ unit: 'bytes', watch: 'server.stats().waits, nearwire inspect' },
  } as const;
  const { addon, reason } = addonStatus();
  if (addon === undefined) return { ...limit, readings: [], notTried: reason?.message ?? 'there is no native addon' };
  return {
    ...limit,
    readings: [
      await hold(lab, "nothing set: the system's own size", createServer()),
      await hold(lab, 'createServer({ sendBuffer: 1048576 }) of nearwire/http', createServer({ sendBuffer: 1048576 })),
    ],
  };
}

/** The largest answer without a file. */
function spool(lab: Lab, setting: string, location: string): Promise<Reading> {
  // Page by page, so that it shows how far nginx has read.
  const answer: Answer = (response, size) => {
    let left = size;
    response.setHeader('Content-Length', size);
    const pages = (function* (): Generator<Buffer> {
      for (; left > 0; left -= PAGE) yield Buffer.alloc(PAGE);
    })();
    Readable.from(pages).pipe(response);
    return () => left;
  };
  return withAnswers(lab, http.createServer(), answer, (own, unread) =>
    withFront(lab, [], { path: own }, { location }, async ({ path, logged }) => {
      let [line, kept]: [string | null, number] = [null, 0];
      const largest = await largestThat(async (size) => {
        kept = await unread(path, size);
        const found = logged('buffered to a temporary file');
        line ??= found;
        return found === null;
      });
      return { setting, ...largest, kept, logged: line };
    }),
  );
}

/** The largest answer that the kernel takes whole. */
function hold(lab: Lab, setting: string, server: HttpServer): Promise<Reading> {
  const answer: Answer = (response, size) => {
    response.end(Buffer.alloc(size));
    return () => (response.writableFinished ? 0 : size);
  };
  return withAnswers(lab, server, answer, async (path, unread) => {
    const largest = await largestThat(async (size) => (await unread(path, size)) === 0);
    return { setting, ...largest, logged: null };
  });
}

async function largestThat(fits: (size: number) => Promise<boolean>): Promise<Pick<Reading, 'gaveOut' | 'driven'>> {
  let largest = 0;
  for (let step = LARGEST; step >= PAGE && largest < LARGEST; step /= 2) {
    if (await fits(largest + step)) largest += step;
  }
  return { gaveOut: largest === LARGEST ? null : largest, driven: LARGEST };
}

/** Begins an answer. Then tells how much of it the application still has. */
type Answer = (response: http.ServerResponse, size: number) => () => number;

/** `unread` asks for so much at a socket, reads nothing, and tells what the application still has when all is at rest. */
async function withAnswers<T>(
  { processes }: Lab,
  server: http.Server | HttpServer,
  answer: Answer,
  work: (own: string, unread: (path: string, size: number) => Promise<number>) => Promise<T>,
): Promise<T> {
  let left = (): number => 0;
  server.on('request', ({ url = '/' }: http.IncomingMessage, response: http.ServerResponse) => {
    if (url === '/') response.end('here');
    else left = answer(response, Number(url.slice(1)));
  });
  const own = join(processes.makeFolder(), 'app.sock');
  await once(server.listen(own), 'listening');
  try {
    return await work(own, async (path, size) => {
      const asked = once(server, 'request');
      const user = net.connect(path).pause();
      user.write(`GET /${String(size)} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await asked;
      // Who has answered another request has by then done what could be done for this one.
      for (let before = NaN; before !== left();) {
        before = left();
        await once(http.get({ socketPath: path, agent: false }), 'close');
      }
      user.destroy();
      return left();
    });
  } finally {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}
