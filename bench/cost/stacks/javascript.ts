/** JavaScript servers: node:http over node:net and over nearwire, nearwire/uwsgi, and third-party ones. */
import { join } from 'node:path';

import { PACKAGE_ROOT } from '../../package-root.js';
import type { ServerWords } from '../apps/server.js';
import type { Command, CommandOf } from './parts.js';

const PROGRAM = join(PACKAGE_ROOT, 'dist', 'cost', 'apps', 'server.js');

export function nodeCommand(words: ServerWords): Command {
  return { name: 'node', command: process.execPath, args: [PROGRAM, JSON.stringify(words)] };
}

export function javascript(server: ServerWords['server']): CommandOf {
  return (parts, listen) => {
    const { app } = parts.place;
    const module = server === 'uWebSockets.js' ? parts.program(server) : undefined;
    return {
      ...nodeCommand({ server, listen, app, module }),
      ...(server === 'bun' && { command: parts.program('bun') }),
      // A user's application reads its files relative to the user's directory, as if started by hand.
      ...(app !== undefined && { folder: process.cwd() }),
    };
  };
}
