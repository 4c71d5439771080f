/** How much of an unread response each send buffer takes, found with servers in this process. */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';

import { getSocketOptions } from 'nearwire/tune';

import { commandWords } from '../cell-processes.js';
import { SOCKET_NAME } from '../cell.js';
import type { RunControl } from '../run.js';
import { largestUnread, PAGE } from '../unread.js';
import { handlerOf } from '../work/http.js';
import { subjectOf } from '../work/subject-module.js';
import { parseWords } from '../work/words.js';
import { nameOf } from './conclude.js';
import type { BufferChoice, Family, Take, Way } from './model.js';
import type { Sweep, SweepChoice } from './plan.js';

/** Whether the kernel also accounts for its own overhead, and SO_SNDBUF reads back as twice what was set. */
const DOUBLES = process.platform === 'linux';

/** For each way and buffer, in their order. */
export async function findTakes(
  { ways, buffers, sizes }: Sweep,
  folder: string,
  { family, signal, onProgress }: SweepChoice & RunControl,
): Promise<Take[]> {
  const tried = 2 ** Math.ceil(Math.log2(Math.max(PAGE, ...sizes)));
  const pairs = ways.flatMap((way) => buffers.map((buffer) => ({ way, buffer })));
  const steps = { total: pairs.length, round: 0, rounds: 0, phase: 'what a send buffer holds', remainingSeconds: 0 };
  const takes: Take[] = [];
  for (const [done, { way, buffer }] of pairs.entries()) {
    signal.throwIfAborted();
    onProgress({ ...steps, done, label: `${way.name}, ${nameOf(buffer)}` });
    takes.push(await takeOf(way, buffer, family, tried, folder));
  }
  return takes;
}

async function takeOf(way: Way, buffer: BufferChoice, family: Family, tried: number, folder: string): Promise<Take> {
  const own = family === 'unix' ? { path: join(folder, SOCKET_NAME) } : { host: '127.0.0.1', port: 0 };
  const file = join(folder, 'body');
  writeFileSync(file, '');
  const sendBufferSize = buffer === 'default' ? 0 : buffer;
  const words = { case: way.case, family, address: '-', subject: way.subject, file, sendBufferSize };
  const wordsFor = (bytes: number): ReturnType<typeof parseWords> =>
    parseWords(['serve', ...commandWords({ ...words, bytes })]);
  const subject = await subjectOf(wordsFor(PAGE));
  let [set, effective] = [NaN, NaN];
  const bytes = await largestUnread(
    (handler) =>
      subject.createHttpServer(handler).on('connection', (socket) => {
        set = sendBufferOf(socket);
      }),
    own,
    (response, size) => {
      truncateSync(file, size);
      const { req, socket } = response;
      handlerOf(subject, wordsFor(size))(req, response);
      return () => {
        if (socket !== null) effective = sendBufferOf(socket);
        return response.writableFinished ? 0 : size;
      };
    },
    tried,
  );
  return { way: way.name, buffer, set, effective, clamped: set < (DOUBLES ? 2 : 1) * sendBufferSize, bytes, tried };
}

function sendBufferOf(socket: Socket): number {
  return getSocketOptions(socket).sendBufferSize ?? NaN;
}
