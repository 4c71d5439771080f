/** 4. Apache with mod_wsgi: in a process of the application's own (daemon mode) and in Apache's (embedded). */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { freePort } from '../free-port.js';
import type { Role, Stack, Target } from '../model.js';
import { titleOf } from '../../process-table.js';
import { StackError } from '../processes.js';
import { startParts, type Parts } from './parts.js';
import { PYTHON_ENV, PYTHON_WORKS, wsgiApp, type WsgiApp } from './python.js';

/**
 * More than a load has connections: with all threads busy Apache closes kept connections, and the next request on one of
 * them is lost. Debian's 25 would do so. In daemon mode both processes have as many, so that the way between them is all
 * that differs.
 */
const THREADS = 64;
/** By this name the daemon is told from Apache's own processes. */
const DAEMON_TITLE = 'nearwire-wsgi';
const NEEDS = ['apache2', 'mod_wsgi'] as const;
/** Parts of the program itself on Debian, modules elsewhere. */
const MAYBE_BUILT_IN = ['unixd', 'log_config'];
/** Who servers run as on Debian, Fedora, macOS, and where there is nothing better. */
const USERS = ['www-data', 'apache', '_www', 'nobody'];

export const APACHE: readonly Stack[] = [
  {
    name: 'apache-daemon',
    title: `Apache -> mod_wsgi daemon, ${String(THREADS)} threads each`,
    language: 'python',
    hop: { family: 'unix', protocol: 'mod_wsgi', connections: 'close' },
    needs: NEEDS,
    works: PYTHON_WORKS,
    start: (place) => startApache(place, true),
  },
  {
    name: 'apache-embedded',
    title: `Apache with mod_wsgi embedded, ${String(THREADS)} threads`,
    language: 'python',
    hop: undefined,
    needs: NEEDS,
    works: PYTHON_WORKS,
    start: (place) => startApache(place, false),
  },
];

const startApache = (place: Parameters<Stack['start']>[0], daemon: boolean): ReturnType<Stack['start']> =>
  startParts(place, async (parts) => {
    const port = await freePort();
    const app = wsgiApp(parts);
    const [config, errorLog] = [parts.file('apache.conf'), parts.file('apache-error.log')];
    writeFileSync(config, configuration(parts, { port, app, errorLog, daemon }));
    parts.logs.push(errorLog);
    await parts.launch({
      name: 'apache',
      role: (pid): Role => (!daemon || titleOf(pid).includes(DAEMON_TITLE) ? 'app' : 'front'),
      command: parts.program('apache2'),
      env: PYTHON_ENV,
      args: ['-D', 'FOREGROUND', '-d', place.folder, '-f', config, '-E', errorLog],
    });
    const target = { host: '127.0.0.1', port };
    await parts.untilAppServes(target, place.wsgi !== undefined);
    return { target, hopTarget: daemon ? socketOf(parts) : undefined };
  });

/** mod_wsgi puts process, generation and number into its name. */
function socketOf(parts: Parts): Target | undefined {
  const name = readdirSync(parts.place.folder).find((file) => /^wsgi\..*\.sock$/.test(file));
  return name === undefined ? undefined : { path: parts.file(name) };
}

interface Settings {
  readonly port: number;
  readonly app: WsgiApp;
  readonly errorLog: string;
  readonly daemon: boolean;
}

/** One server process of the event MPM. The rest is Debian's. */
function configuration(parts: Parts, { port, app, errorLog, daemon }: Settings): string {
  const { folder } = parts.place;
  const wsgi = parts.program('mod_wsgi');
  const modules = [...MAYBE_BUILT_IN, 'mpm_event', 'authz_core']
    .map((name) => [`${name}_module`, join(dirname(wsgi), `mod_${name}.so`)] as const)
    .filter(([, file]) => existsSync(file));
  const threads = String(THREADS);
  return `ServerName localhost
ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${folder}/apache.pid
ErrorLog ${errorLog}
LogLevel warn
Listen 127.0.0.1:${String(port)}
${modules.map(([name, file]) => `LoadModule ${name} ${file}`).join('\n')}
LoadModule wsgi_module ${wsgi}
${process.getuid?.() === 0 ? userLines() : ''}
Timeout 300
KeepAlive On
MaxKeepAliveRequests 100
KeepAliveTimeout 5
HostnameLookups Off
StartServers 1
ServerLimit 1
ThreadLimit ${threads}
ThreadsPerChild ${threads}
MaxRequestWorkers ${threads}
MinSpareThreads 1
MaxSpareThreads ${threads}
MaxConnectionsPerChild 0
WSGISocketPrefix ${folder}/wsgi
WSGIScriptAlias / "${app.file}"
WSGICallableObject ${app.callable}
WSGIApplicationGroup %{GLOBAL}
${daemon ? daemonLines(app) : embeddedLines(app)}
<Directory />
  Options FollowSymLinks
  AllowOverride None
  Require all denied
</Directory>
<Directory "${app.folder}">
  Require all granted
</Directory>
`;
}

function embeddedLines({ folder, home }: WsgiApp): string {
  const lines = ['WSGIRestrictEmbedded Off', `WSGIPythonPath "${folder}"`];
  return [...lines, ...(home === undefined ? [] : [`WSGIPythonHome "${home}"`])].join('\n');
}

function daemonLines(app: WsgiApp): string {
  const words = [
    `WSGIDaemonProcess app processes=1 threads=${String(THREADS)} display-name=${DAEMON_TITLE}`,
    `home="${app.folder}" python-path="${app.folder}"`,
    ...(app.home === undefined ? [] : [`python-home="${app.home}"`]),
  ];
  return `${words.join(' ')}\nWSGIProcessGroup app\nWSGIRestrictEmbedded On`;
}

/** Apache and mod_wsgi run nothing as root. */
function userLines(): string {
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name = '', , , group = '']) => [name, group]),
  );
  const user = USERS.find((name) => users.has(name));
  if (user === undefined)
    throw new StackError(`Apache runs nothing as root, and none of ${USERS.join(', ')} is a user here`);
  return `User ${user}\nGroup #${users.get(user) ?? ''}`;
}
