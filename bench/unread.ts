/** Unread responses: how much of one leaves its program anyway, because the kernel has room for it. */
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';

import type { Target } from './work/words.js';

/** The resolution of the search, in bytes. */
export const PAGE = 4096;

/** Begins a response. Returns a function for the number of its bytes that the program still holds. */
export type Answer = (response: http.ServerResponse, size: number) => () => number;

export interface Asking {
  /** Where the user's request goes; by default the server itself. */
  readonly from?: Target;
  /** Judges the number of bytes that the program still holds once everything is idle. By default it must be 0. */
  readonly fits?: (left: number) => boolean;
}

/** The largest response that fits, up to `most`, which is a power of two of pages. */
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
      // A server that has answered another request has by then done all it could for this one.
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
