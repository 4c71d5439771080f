/** Whether a process listens on a socket, how long its queue is, and whether a connect succeeds. */
import * as net from 'node:net';
import { byNode } from '../net/js.js';
import { listenQueue, type ListenQueue } from '../tune/queue.js';
import { findUnixListener } from '../tune/unix-listener.js';
import type { Finding } from './finding.js';
import { ownersOf, type Process } from './processes.js';
import { NGINX_FULL, NGINX_REFUSED } from './socket-path.js';

/** The default backlog of servers. */
const USUAL_BACKLOG = 511;
/** The kernel answers a connect to a listening socket at once. */
const PATIENCE_MILLIS = 2000;

const STOPPED: Record<string, string> = { T: 'stopped (SIGSTOP or a terminal)', t: 'held by a debugger' };

export async function checkListener(path: string): Promise<Finding[]> {
  const queue = askQueue(path);
  if ('finding' in queue) return [queue.finding];
  const owners = queue.found === undefined ? [] : ownersOfListener(path);
  // A connect would take the queue's last place, or be refused.
  if (queue.found !== undefined && queue.found.queued > queue.found.backlog) return [fullFinding(queue.found, owners)];
  const outcome = await tryConnect(path);
  const listed = queue.found === undefined ? queue.without : [queueFinding(queue.found, owners)];
  return [...listed, ...connectFindings(path, outcome, owners)];
}

type Asked = { found: ListenQueue } | { found: undefined; without: Finding[] } | { finding: Finding };

function askQueue(path: string): Asked {
  try {
    return { found: listenQueue(path) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    switch (code) {
      case 'ERR_NEARWIRE_STALE_SOCKET':
        return { finding: staleFinding(path, message) };
      case 'ERR_NEARWIRE_NO_LISTENER':
        return { finding: deafFinding(message) };
      default:
        return {
          found: undefined,
          without: [
            {
              check: 'listener.queue',
              level: 'note',
              message: `the queue is not known: ${message}`,
              explanation: 'Only a refused connect shows that the queue is full.',
            },
          ],
        };
    }
  }
}

function staleFinding(path: string, message: string): Finding {
  return {
    check: 'listener.stale',
    level: 'problem',
    message,
    explanation:
      'The process that listened has ended without removing its file, as after a signal that it does not handle (SIGTERM, SIGINT, SIGKILL) or process.exit(). Connects are refused.',
    remedies: ['start the application', `rm ${JSON.stringify(path)}  # before that, if it reports EADDRINUSE`],
    nginx: NGINX_REFUSED,
  };
}

function deafFinding(message: string): Finding {
  return {
    check: 'listener.none',
    level: 'problem',
    message,
    explanation: 'Connects are refused.',
    remedies: ['start the application, or wait until it has called listen()'],
    nginx: NGINX_REFUSED,
  };
}

function ownersOfListener(path: string): Process[] {
  try {
    return ownersOf(findUnixListener(path).id);
  } catch {
    return [];
  }
}

function named(owners: readonly Process[]): string {
  if (owners.length === 0) return 'a process that this user cannot see';
  return owners.map(({ pid, name }) => `${name} (process ${String(pid)})`).join(', ');
}

function stoppedOf(owners: readonly Process[]): Process[] {
  return owners.filter(({ state }) => state in STOPPED);
}

function fullFinding({ queued, backlog }: ListenQueue, owners: readonly Process[]): Finding {
  const stopped = stoppedOf(owners);
  const state = stopped.map(({ pid, state }) => `; process ${String(pid)} is ${STOPPED[state] ?? ''}`).join('');
  return {
    check: 'listener.full',
    level: 'problem',
    message: `the queue of ${named(owners)} is full: ${String(queued)} connections wait, backlog ${String(backlog)}${state}`,
    explanation:
      'The kernel refuses every further connect at once (EAGAIN): nginx responds with 502. Over TCP the kernel would retry.',
    remedies:
      stopped.length > 0
        ? stopped.map(({ pid }) => `kill -CONT ${String(pid)}`)
        : [
            'more processes on the socket (node:cluster), or less synchronous work in this one',
            ...backlogFixes(backlog),
            'connect through nearwire: it waits for room (backlogTimeout)',
          ],
    nginx: NGINX_FULL,
  };
}

function backlogFixes(backlog: number): string[] {
  const server = `server.listen({ path, backlog: ${String(Math.max(backlog * 4, USUAL_BACKLOG))} })`;
  return [`${server}  # and sysctl -w net.core.somaxconn=${String(Math.max(backlog * 4, 4096))}`];
}

function queueFinding({ queued, backlog }: ListenQueue, owners: readonly Process[]): Finding {
  const message = `${named(owners)} listens: ${String(queued)} connections wait, backlog ${String(backlog)}`;
  const stopped = stoppedOf(owners);
  if (stopped.length > 0) {
    return {
      check: 'listener.stopped',
      level: 'problem',
      message: `${message}; ${stopped.map(({ pid, state }) => `process ${String(pid)} is ${STOPPED[state] ?? ''}`).join(', ')}`,
      explanation: 'Connections wait for it until the queue is full; then they are refused.',
      remedies: stopped.map(({ pid }) => `kill -CONT ${String(pid)}`),
      nginx: '110: Connection timed out',
    };
  }
  if (queued * 2 > backlog && queued > 1) {
    return {
      check: 'listener.queue',
      level: 'warning',
      message,
      explanation: 'More than half of the queue is in use: the next burst may be refused.',
      remedies: ['more processes on the socket (node:cluster)', ...backlogFixes(backlog)],
    };
  }
  if (backlog < USUAL_BACKLOG) {
    return {
      check: 'listener.backlog',
      level: 'note',
      message,
      explanation: `Most servers use ${String(USUAL_BACKLOG)}; of a burst within one event-loop iteration, connects beyond ${String(backlog + 1)} are refused.`,
      remedies: backlogFixes(backlog),
    };
  }
  return { check: 'listener.queue', level: 'ok', message };
}

/** Connects as any program would; resolves with undefined or the error. */
function tryConnect(path: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((settle) => {
    const socket = byNode(() => net.connect(path));
    socket.setTimeout(PATIENCE_MILLIS);
    socket.once('connect', () => {
      settle(undefined);
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
    socket.once('error', settle);
  });
}

function connectFindings(
  path: string,
  error: NodeJS.ErrnoException | undefined,
  owners: readonly Process[],
): Finding[] {
  if (error === undefined) return [{ check: 'listener.connect', level: 'ok', message: 'a connect succeeds' }];
  switch (error.code) {
    case 'EAGAIN':
      return [
        {
          check: 'listener.full',
          level: 'problem',
          message: `the queue of ${named(owners)} is full: a connect was refused with EAGAIN`,
          explanation: 'The kernel refuses every further connect at once: nginx responds with 502.',
          remedies: ['more processes on the socket (node:cluster)', ...backlogFixes(USUAL_BACKLOG)],
          nginx: NGINX_FULL,
        },
      ];
    case 'ECONNREFUSED':
      return [staleFinding(path, `No process listens on ${path}: a connect was refused`)];
    case 'EACCES':
    case 'EPERM':
      return [
        {
          check: 'listener.connect',
          level: 'warning',
          message: `this user may not connect (${error.code})`,
          explanation: 'The file modes above show whether the reverse proxy may.',
          remedies: ['run the doctor as root, or as the user of the reverse proxy'],
        },
      ];
    default:
      return [
        {
          check: 'listener.connect',
          level: 'problem',
          message: `a connect fails: ${error.message}`,
          explanation:
            error.code === 'EPROTOTYPE'
              ? 'It is a datagram or packet socket: HTTP needs a stream.'
              : 'nginx gets the same error.',
          remedies: ['ss -xlp  # shows what listens there'],
        },
      ];
  }
}
