/** Reads nginx's error log for the causes of its 502s. */
import type { Finding } from './finding.js';
import { NGINX_DENIED, NGINX_FULL, NGINX_MISSING, NGINX_REFUSED } from './socket-path.js';

const CLOSED = 'upstream prematurely closed connection';

interface Cause {
  check: string;
  /** The text that identifies it in a line. */
  mark: string;
  message: string;
  explanation: string;
  remedies: string[];
}

const CAUSES: readonly Cause[] = [
  {
    check: 'nginx.full-queue',
    mark: `(${NGINX_FULL})`,
    message: "the application's queue was full",
    explanation:
      'Connects to a full UNIX queue are refused at once. The application was stopped or busy, or its backlog is short.',
    remedies: [
      'nearwire doctor PATH  # while it happens: queue, backlog, and a stopped process',
      'upstream app { server unix:PATH; keepalive 32; }  # fewer connects: without it, each request needs one',
      'server.listen({ path, backlog: 2048 })  # and sysctl -w net.core.somaxconn=4096',
    ],
  },
  {
    check: 'nginx.refused',
    mark: `(${NGINX_REFUSED})`,
    message: 'no process listened on the socket: its file was left behind',
    explanation: 'The application had ended without removing its file, or had not called listen() yet.',
    remedies: ['start the application', 'Restart=always  # in its systemd unit'],
  },
  {
    check: 'nginx.permission',
    mark: `(${NGINX_DENIED})`,
    message: 'nginx cannot connect to the socket',
    explanation: 'Its user (ps -o user= -C nginx) needs w on the file and x on every directory on the way.',
    remedies: ['nearwire doctor PATH --user USER  # names the file and the command that fixes it'],
  },
  {
    check: 'nginx.missing',
    mark: `(${NGINX_MISSING})`,
    message: 'there was no such socket',
    explanation: 'The application had not started, listens elsewhere, or nginx sees another /tmp (PrivateTmp=).',
    remedies: ['nearwire doctor PATH', 'put the socket into /run/app (RuntimeDirectory=app in the systemd unit)'],
  },
  {
    check: 'nginx.premature-close',
    mark: CLOSED,
    message: 'the application closed the connection before it had responded',
    explanation: 'It crashed or was restarted, or closed a kept-alive connection just as nginx sent the next request.',
    remedies: [
      "server.keepAliveTimeout = 75_000  // longer than nginx's keepalive_timeout of the upstream (60 s)",
      'proxy_next_upstream error timeout non_idempotent  # retries; only if requests may be repeated',
      'look for uncaught exceptions in the log of the application',
    ],
  },
  {
    check: 'nginx.reset',
    mark: '(104: Connection reset by peer)',
    message: 'the application closed the connection with unread bytes in it',
    explanation: 'It responded or failed before it had read the body, or crashed.',
    remedies: [
      'read or drain request bodies before the response ends',
      'look for uncaught exceptions in the log of the application',
    ],
  },
  {
    check: 'nginx.timeout',
    mark: '(110: Connection timed out)',
    message: 'the application took too long (nginx responds with 504)',
    explanation:
      'Its event loop was blocked, its process stopped, or the work itself takes longer than proxy_read_timeout.',
    remedies: ['nearwire doctor PATH  # while it happens', 'proxy_read_timeout 120s'],
  },
];

/** Only failures of UNIX upstreams are of interest. */
const UPSTREAM = /upstream: "(?:\w+:\/\/)?unix:([^":]+)/;
const TIME = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/;

interface Seen {
  cause: Cause;
  path: string;
  count: number;
  first: string;
  last: string;
}

/** `only`: restricts it to the failures of this path. */
export function checkNginxLog(text: string, only?: string): Finding[] {
  const seen = new Map<string, Seen>();
  for (const line of text.split('\n')) {
    const path = UPSTREAM.exec(line)?.[1];
    const cause = CAUSES.find(({ mark }) => line.includes(mark));
    if (path === undefined || cause === undefined || (only !== undefined && path !== only)) continue;
    const time = TIME.exec(line)?.[0] ?? '';
    const key = `${cause.check} ${path}`;
    const known = seen.get(key);
    if (known === undefined) seen.set(key, { cause, path, count: 1, first: time, last: time });
    else Object.assign(known, { count: known.count + 1, last: time });
  }
  const found = [...seen.values()].sort((a, b) => b.count - a.count);
  if (found.length === 0) {
    const where = only === undefined ? 'UNIX upstreams' : only;
    return [{ check: 'nginx.log', level: 'ok', message: `the log has no failure of ${where}` }];
  }
  return found.map(({ cause, path, count, first, last }) => ({
    check: cause.check,
    level: 'problem',
    message: `${times(count)} ${cause.message}: ${path} (${first === last ? first : `${first} to ${last}`}; may be over)`,
    explanation: cause.explanation,
    remedies: cause.remedies.map((line) => line.replaceAll('PATH', path)),
    nginx: cause.mark.replace(/^\((.*)\)$/, '$1'),
  }));
}

function times(count: number): string {
  return count === 1 ? 'once' : `${String(count)} times`;
}
