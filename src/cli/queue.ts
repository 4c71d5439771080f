/** `nearwire queue`: the accept queues of listeners, for health checks. */
import { existsSync } from 'node:fs';

import { listenQueue, type ListenQueue, type ListenTarget } from '../tune/queue.js';
import { columns, command, REPORT_OPTIONS } from './command.js';
import { EXIT_CODES } from './exit-codes.js';
import { exitCodeOfFailure } from './listener-failure.js';
import { jsonText, print } from './output-file.js';
import { parseWhole, UsageError } from './usage.js';

/** A backlog is an int. */
const MOST_QUEUED = 2 ** 31 - 1;
const HIGHEST_PORT = 65_535;

interface Row {
  readonly target: string;
  readonly queue?: ListenQueue;
  readonly error?: { readonly code: string; readonly message: string };
}

export const queueCommand = command({
  name: 'queue',
  summary: 'show how many connections wait to be accepted by UNIX and TCP listeners',
  operands: '<path|@name|[host:]port>...',
  fewestOperands: 1,
  mostOperands: Infinity,
  options: {
    'max-queued': { type: 'string', value: 'n', help: 'exit with 1 if more connections than this wait at one of them' },
    ...REPORT_OPTIONS,
  },
  more: 'Exit codes: 0 all listen; 1 more wait than --max-queued; 2 invalid arguments; 3 no process listens; 4 unknown.',
  run(given, operands) {
    const limit = given['max-queued'];
    const most = limit === undefined ? Infinity : parseWhole('--max-queued', limit, 0, MOST_QUEUED);
    const rows = operands.map((word) => rowOf(word, targetOf(word)));
    print(given.json === true ? jsonText({ schema: 1, listeners: rows }) : textOf(rows), given.output);
    const failed = Math.max(0, ...rows.map(({ error }) => (error === undefined ? 0 : exitCodeOfFailure(error.code))));
    const isCrowded = rows.some(({ queue }) => queue !== undefined && queue.queued > most);
    process.exitCode = failed || (isCrowded ? EXIT_CODES.found : EXIT_CODES.ok);
  },
});

/** A file of that name takes precedence over a port. */
function targetOf(word: string): ListenTarget {
  if (word === '' || word === '@') throw new UsageError('a path, @name or [host:]port is needed');
  if (existsSync(word)) return word;
  if (word.startsWith('@')) return `\0${word.slice(1)}`;
  const [, host, digits] = /^(?:(.+):)?(\d+)$/.exec(word) ?? [];
  if (digits === undefined || word.includes('/')) return word;
  const port = parseWhole('a port', digits, 1, HIGHEST_PORT);
  return host === undefined ? { port } : { port, host: host.replace(/^\[(.*)\]$/, '$1') };
}

function rowOf(word: string, target: ListenTarget): Row {
  try {
    return { target: word, queue: listenQueue(target) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { target: word, error: { code, message } };
  }
}

function textOf(rows: readonly Row[]): string {
  const lines = rows.map(({ target, queue, error }) => {
    if (queue === undefined) return [target, error?.message ?? ''] as const;
    const { queued, backlog } = queue;
    return [
      target,
      `${String(queued)} waiting, backlog ${String(backlog)}${queued > backlog ? ', FULL' : ''}`,
    ] as const;
  });
  return `${columns(lines)
    .map((text) => text.slice(2))
    .join('\n')}\n`;
}
