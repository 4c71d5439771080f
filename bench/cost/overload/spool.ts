/**
 * nginx's side of a slow reader: what the application has written is read at once, into `proxy_buffers`, and from there
 * into a file. That frees the application, and costs the disk.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import * as net from 'node:net';

import { formatBytes } from '../../format.js';
import type { Overload, OverloadMove } from '../model.js';
import { Answering } from './answering.js';
import { NGINX_CLOSES } from './front.js';
import type { Front, Lab } from './lab.js';
import { leastThat } from './search.js';
import { count, settingsOf, unended } from './words.js';

const KIB = 1024;
const FIRST = 32 * KIB;
const GRAIN = 1 / 256;
const LARGEST = 64 * KIB * KIB;
const SPOOLED = 'buffered to a temporary file';
const MORE_BUFFERS = ['proxy_buffers 64 32k;'];
const NO_FILE = ['proxy_max_temp_file_size 0;'];

interface Spooling {
  readonly least: number | undefined;
  readonly line: string | undefined;
}

export async function driveSpool(lab: Lab): Promise<Overload[]> {
  const answering = await Answering.open({ path: lab.socketPath() }, undefined);
  try {
    const before = await spooling(lab, answering, []);
    if (before.least === undefined) throw new Error(`nginx keeps all of ${formatBytes(LARGEST)} in memory`);
    const more = await spooling(lab, answering, MORE_BUFFERS);
    const kept = await keptBack(lab, answering, before.least * 4);
    const moves = [moved(more), kept];
    return [
      {
        name: 'buffers',
        family: 'unix',
        title: 'an answer is larger than nginx’s buffers and goes through a file',
        drive:
          'nginx -> node:http over a UNIX socket, one answer of growing size to a user who does not read, over a UNIX ' +
          'socket too, whose own buffer is part of the figure',
        at: { value: before.least, unit: 'bytes of an answer' },
        // nginx does not tell how full its buffers are.
        depth: undefined,
        error: `none for the user; nginx: ${before.line ?? 'nothing logged'}`,
        setting: settingsOf(moves),
        moves,
      },
    ];
  } finally {
    await answering.close();
  }
}

async function spooling(lab: Lab, answering: Answering, settings: readonly string[]): Promise<Spooling> {
  lab.step(`buffers of nginx: ${settings.length === 0 ? 'its own' : unended(...settings)}`);
  const front = await lab.front(answering.target, { location: [...NGINX_CLOSES, ...settings] });
  let line: string | undefined;
  const spools = async (size: number): Promise<boolean> => {
    lab.signal.throwIfAborted();
    const found = await linesOf(front, answering, size);
    line = found ?? line;
    return found !== undefined;
  };
  try {
    return { least: await leastThat(spools, FIRST, LARGEST, GRAIN), line };
  } finally {
    await front.stop();
  }
}

interface Asked {
  readonly user: net.Socket;
  readonly response: ServerResponse;
}

/**
 * The line about a file, if one is made for an answer of this size that its user does not read. nginx closes its connection
 * when it has read all of the answer: that is how it is known that it has.
 */
async function linesOf(front: Front, answering: Answering, size: number): Promise<string | undefined> {
  const { user, response } = await asked(front, answering, size);
  const { socket } = response;
  if (socket?.destroyed === false) await once(socket, 'close');
  user.destroy();
  return front.log.newLines().find((text) => text.includes(SPOOLED));
}

async function asked(front: Front, answering: Answering, size: number): Promise<Asked> {
  const answered = answering.answerNext(size);
  const user = net.connect(front.path).pause();
  user.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return { user, response: await answered };
}

function moved({ least }: Spooling): OverloadMove {
  const setting = unended(...MORE_BUFFERS);
  return {
    setting,
    at: least === undefined ? undefined : { value: least, unit: 'bytes of an answer' },
    seen: least === undefined ? `keeps ${formatBytes(LARGEST)} in memory` : `moves it to ${count(least)} bytes`,
  };
}

/** Without a file nginx reads no further than it has room, and the application waits. */
async function keptBack(lab: Lab, answering: Answering, size: number): Promise<OverloadMove> {
  lab.step(`buffers of nginx: ${unended(...NO_FILE)}`);
  const front = await lab.front(answering.target, { location: [...NGINX_CLOSES, ...NO_FILE] });
  const { user, response } = await asked(front, answering, size);
  const { waiting } = await answering.standing(response);
  const made = front.log.newLines().some((text) => text.includes(SPOOLED));
  user.destroy();
  await front.stop();
  const setting = unended(...NO_FILE);
  return {
    setting,
    at: undefined,
    seen: `${made ? 'still a file' : 'no file'}, and ${count(waiting)} of ${count(size)} bytes are kept by the application`,
  };
}
