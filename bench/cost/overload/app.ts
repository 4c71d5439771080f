/** The application of a demonstration, a process of its own: hello world after so much CPU, or after so long a wait. */
import * as http from 'node:http';

import { burn } from '../apps/burn.js';
import type { Target } from '../model.js';
import { answerOf, workNamed } from '../works.js';

export interface AppWords {
  readonly target: Target;
  /** Over TCP it listens on all addresses, of a network that has no other hosts. Default: on the target's. */
  readonly anyAddress?: boolean;
  /** Undefined: node's own, 511. */
  readonly backlog?: number | undefined;
  /** CPU for each request, in milliseconds. */
  readonly burn: number;
  /** Milliseconds for which a request is left waiting without any work, as for a database. */
  readonly wait: number;
}

/** Longer than a demonstration: a kept connection is closed by the front or not at all. */
const KEEP_ALIVE_MS = 600_000;

const HELLO = answerOf(workNamed('hello'));
const words = JSON.parse(process.argv[2] ?? '') as AppWords;
const server = http.createServer((_request, response) => {
  burn(words.burn);
  if (words.wait === 0) response.end(HELLO);
  else setTimeout(() => response.end(HELLO), words.wait);
});
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.listen({ ...words.target, ...(words.anyAddress === true && { host: '0.0.0.0' }), backlog: words.backlog });
