/** One Node app server: `node node-server.js '{"server": "node:http", "listen": {"path": "app.sock"}}'`. */
import * as http from 'node:http';
import type { ListenOptions } from 'node:net';

import { createServer as createHttpServer } from '../../../src/http.js';
import { createServer as createUwsgiServer } from '../../../src/uwsgi.js';
import { handler } from './handler.js';
import { loadApp, NoApplication } from './user-app.js';

export type NodeServerName = 'node:http' | 'nearwire/http' | 'nearwire/uwsgi';

export interface NodeServerWords {
  readonly server: NodeServerName;
  /** `backlog` undefined: node's own, 511. */
  readonly listen: ListenOptions;
  /** A user's own application instead of ours. */
  readonly app?: string | undefined;
}

interface Listening {
  listen(options: ListenOptions): unknown;
}

function serverNamed(name: NodeServerName, listener: http.RequestListener): Listening {
  if (name === 'node:http') return http.createServer(listener);
  if (name === 'nearwire/http') return createHttpServer(listener);
  return createUwsgiServer(listener);
}

/** What a user's module exports is told without our line numbers; what it throws, with its own. */
async function listenerOf(file: string): Promise<http.RequestListener> {
  try {
    return await loadApp(file);
  } catch (error) {
    if (!(error instanceof NoApplication)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const words = JSON.parse(process.argv[2] ?? '') as NodeServerWords;
const listener = words.app === undefined ? handler : await listenerOf(words.app);
const server = serverNamed(words.server, listener);
server.listen(words.listen);
