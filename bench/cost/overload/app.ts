/**
 * The application of a demonstration, a process of its own: `hello` after so much CPU, or after so long a wait. It ends
 * when its stdin does, so that it does not outlive whoever started it.
 */
import type { RequestListener, Server } from 'node:http';

import { Control, tell } from '../../work/control.js';
import type { Target } from '../model.js';

export interface AppWords {
  /** Whose sockets node:http has. */
  readonly transport: 'node:net' | 'native';
  readonly target: Target;
  readonly backlog?: number | undefined;
  /** CPU for each request, in milliseconds. */
  readonly burn: number;
  /** Milliseconds for which a request is left waiting without any work, as for a database. */
  readonly wait: number;
}

const US_A_MS = 1e3;

/** Until so much CPU has been used, however often the process was interrupted. */
function burn(milliseconds: number): void {
  const start = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(start);
    if (user + system >= milliseconds * US_A_MS) return;
  }
}

function handlerOf({ burn: cpu, wait }: AppWords): RequestListener {
  return (_request, response) => {
    burn(cpu);
    if (wait === 0) response.end('hello');
    else setTimeout(() => response.end('hello'), wait);
  };
}

async function serverOf(words: AppWords): Promise<Server> {
  const handler = handlerOf(words);
  if (words.transport === 'node:net') return (await import('node:http')).createServer(handler);
  return (await import('../../../src/http.js')).createServer({ transport: 'native' }, handler);
}

const words = JSON.parse(process.argv[2] ?? '') as AppWords;
const server = await serverOf(words);
// Longer than a demonstration: a kept connection is closed by the front or not at all.
server.keepAliveTimeout = 600_000;
server.listen({ ...words.target, backlog: words.backlog }, () => {
  tell({ ready: server.address() });
});
new Control(() => {
  server.close();
});
