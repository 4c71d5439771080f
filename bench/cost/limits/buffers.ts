/**
 * Buffers: nothing fails when one is full. Of an answer to a user who does not read, nginx keeps in a file what it has no
 * room for, and an application keeps what its kernel does not take.
 */
import * as http from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { createServer, type HttpServerOptions } from '../../../src/http.js';
import { addonStatus } from '../../../src/native.js';
import { largestThat, largestUnread, PAGE, withAnswers, type Answer } from '../../unread.js';
import type { Limit, Reading } from './model.js';
import { withFront, type Lab } from './servers.js';

const LARGEST = 4 * 1024 * 1024;

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
      await hold(lab, "nothing set: the system's own size", {}),
      await hold(lab, 'createServer({ sendBuffer: 1048576 }) of nearwire/http', { sendBuffer: 1048576 }),
    ],
  };
}

/** The largest answer without a file. */
function spool(lab: Lab, setting: string, location: string): Promise<Reading> {
  const own = { path: join(lab.processes.makeFolder(), 'app.sock') };
  return withAnswers(
    (handler) => http.createServer(handler),
    own,
    answerByPages,
    (unread) =>
      withFront(lab, [], own, { location }, async ({ path, logged }) => {
        let [line, kept]: [string | null, number] = [null, 0];
        const largest = await largestThat(async (size) => {
          kept = await unread(size, { path });
          const found = logged('buffered to a temporary file');
          line ??= found;
          return found === null;
        }, LARGEST);
        return { setting, ...readingOf(largest), kept, logged: line };
      }),
  );
}

/** Page by page, so that it shows how far nginx has read. */
function answerByPages(response: http.ServerResponse, size: number): () => number {
  let left = size;
  response.setHeader('Content-Length', size);
  const pages = (function* (): Generator<Buffer> {
    for (; left > 0; left -= PAGE) yield Buffer.alloc(PAGE);
  })();
  Readable.from(pages).pipe(response);
  return () => left;
}

/** The largest answer that the kernel takes whole. */
async function hold({ processes }: Lab, setting: string, options: HttpServerOptions): Promise<Reading> {
  const own = { path: join(processes.makeFolder(), 'app.sock') };
  const answer: Answer = (response, size) => {
    response.end(Buffer.alloc(size));
    return () => (response.writableFinished ? 0 : size);
  };
  const largest = await largestUnread((handler) => createServer(options, handler), own, answer, LARGEST);
  return { setting, ...readingOf(largest), logged: null };
}

function readingOf(largest: number): Pick<Reading, 'gaveOut' | 'driven'> {
  return { gaveOut: largest === LARGEST ? null : largest, driven: LARGEST };
}
