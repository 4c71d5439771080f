/** Answers that nobody reads: how much of one leaves its program all the same, for the kernel has room for it. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';

import type { Target } from './work/words.js';

/** How finely is looked. */
export const PAGE = 4096;

/** Begins an answer. Then tells how much of it the program still has. */
export type Answer = (response: http.ServerResponse, size: number) => () => number;

export interface Asking {
  /** Whom the user asks; by default the server itself. */
  readonly from?: Target;
  /** Told what the program still has when all is at rest. By default nothing may be left. */
  readonly fits?: (left: number) => boolean;
}

/** The largest answer that fits, of those up to `most`, which is a power of two of pages. */
export async function largestUnread(
  make: (handler: http.RequestListener) => http.Server,
  own: Target,
  answer: Answer,
  most: number,
  { from, fits = (left) => left === 0 }: Asking = {},
): Promise<number> {
  let left = (): number => 0;
  const server = make(({ url = '/' }, response) => {
    if (url === '/') response.end('here');
    else left = answer(response, Number(url.slice(1)));
  });
  await once(server.listen(own), 'listening');
  const target = from ?? ('path' in own ? own : { ...own, port: (server.address() as net.AddressInfo).port });
  const asGet = 'path' in target ? { socketPath: target.path } : target;
  try {
    let largest = 0;
    for (let step = most; step >= PAGE && largest < most; step /= 2) {
      const asked = once(server, 'request');
      const user = net.connect(target).pause();
      user.write(`GET /${String(largest + step)} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await asked;
      // Who has answered another request has by then done what could be done for this one.
      for (let before = NaN; before !== left();) {
        before = left();
        await once(http.get({ ...asGet, agent: false }), 'close');
      }
      user.destroy();
      if (fits(left())) largest += step;
    }
    return largest;
  } finally {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}
