/** Answers that nobody reads: how much of one leaves its program all the same, for the kernel has room for it. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';

import type { Target } from './work/words.js';

/** How finely is looked. */
export const PAGE = 4096;

/** Begins an answer. Then tells how much of it the program still has. */
export type Answer = (response: http.ServerResponse, size: number) => () => number;

/** Asks for so much, of the server itself if nobody else is named, reads nothing, and tells what the program still has when all is at rest. */
export type Unread = (size: number, from?: Target) => Promise<number>;

export async function withAnswers<T>(
  make: (handler: http.RequestListener) => http.Server,
  own: Target,
  answer: Answer,
  work: (unread: Unread) => Promise<T>,
): Promise<T> {
  let left = (): number => 0;
  const server = make(({ url = '/' }, response) => {
    if (url === '/') response.end('here');
    else left = answer(response, Number(url.slice(1)));
  });
  await once(server.listen(own), 'listening');
  const address = server.address();
  const itself = address !== null && typeof address === 'object' ? { host: address.address, port: address.port } : own;
  try {
    return await work(async (size, from = itself) => {
      const asked = once(server, 'request');
      const user = net.connect(from).pause();
      user.write(`GET /${String(size)} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await asked;
      // Who has answered another request has by then done what could be done for this one.
      for (let before = NaN; before !== left();) {
        before = left();
        const target = 'path' in from ? { socketPath: from.path } : from;
        await once(http.get({ ...target, agent: false }), 'close');
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

/** The largest size that fits, of those up to `most`, which is a power of two of pages. */
export async function largestThat(fits: (size: number) => Promise<boolean>, most: number): Promise<number> {
  let largest = 0;
  for (let step = most; step >= PAGE && largest < most; step /= 2) {
    if (await fits(largest + step)) largest += step;
  }
  return largest;
}

/** The largest answer that leaves the program whole. */
export function largestUnread(
  make: (handler: http.RequestListener) => http.Server,
  own: Target,
  answer: Answer,
  most: number,
): Promise<number> {
  return withAnswers(make, own, answer, (unread) => largestThat(async (size) => (await unread(size)) === 0, most));
}
