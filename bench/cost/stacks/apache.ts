/** Apache with mod_wsgi: in a separate process for the application (daemon mode), and in Apache's own (embedded). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { titleOf } from '../../process-table.js';
import { StackError } from '../processes.js';
import { addressOf, type CommandOf } from './parts.js';
import { PYTHON_ENV, wsgiApp, type WsgiApp } from './python.js';

/**
 * More than a load has connections: with all threads busy Apache closes kept connections, and loses the next request on
 * them. Debian's default of 25 would cause that. In daemon mode both processes have as many, so that only the path
 * between them differs.
 */
export const THREADS = '64';
/** The name that distinguishes the daemon from Apache's own processes. */
const DAEMON_TITLE = 'nearwire-wsgi';
/** unixd and log_config are built into the program on Debian, and modules elsewhere. */
const MODULES = ['unixd', 'log_config', 'mpm_event', 'authz_core'];
/** The accounts of servers on Debian, Fedora, macOS, and a fallback. */
const USERS = ['www-data', 'apache', '_www', 'nobody'];

export function apache(mode: 'daemon' | 'embedded'): CommandOf {
  return (parts, target) => {
    const { folder } = parts;
    const [app, wsgi, file] = [wsgiApp(parts), parts.program('mod_wsgi'), parts.file('apache.conf')];
    const modules = MODULES.map((name) => [name, join(dirname(wsgi), `mod_${name}.so`)] as const);
    // One server process of the event MPM. The rest are Debian's settings, or Apache's defaults.
    const lines = [
      'ServerName localhost',
      ...['ServerRoot', 'DefaultRuntimeDir'].map((name) => `${name} ${folder}`),
      `PidFile ${folder}/apache.pid`,
      `ErrorLog ${folder}/apache.log`,
      `Listen ${addressOf(target)}`,
      ...modules
        .filter(([, module]) => existsSync(module))
        .map(([name, module]) => `LoadModule ${name}_module ${module}`),
      `LoadModule wsgi_module ${wsgi}`,
      ...(process.getuid?.() === 0 ? userLines() : []),
      'Timeout 300',
      ...['StartServers 1', 'ServerLimit 1', 'MinSpareThreads 1'],
      ...['ThreadLimit', 'ThreadsPerChild', 'MaxRequestWorkers', 'MaxSpareThreads'].map((name) => `${name} ${THREADS}`),
      `WSGISocketPrefix ${folder}/wsgi`,
      `WSGIScriptAlias / "${app.file}"`,
      `WSGICallableObject ${app.callable}`,
      'WSGIApplicationGroup %{GLOBAL}',
      ...(mode === 'daemon' ? daemonLines(app) : embeddedLines(app)),
      ...['<Directory />', 'Require all granted', '</Directory>', ''],
    ];
    writeFileSync(file, lines.join('\n'));
    return {
      name: 'apache',
      command: parts.program('apache2'),
      args: ['-D', 'FOREGROUND', '-d', folder, '-f', file],
      env: PYTHON_ENV,
      roleOf: (pid) => (mode === 'embedded' || titleOf(pid).includes(DAEMON_TITLE) ? 'app' : 'front'),
    };
  };
}

function embeddedLines({ folder, home }: WsgiApp): string[] {
  const lines = ['WSGIRestrictEmbedded Off', `WSGIPythonPath "${folder}"`];
  return home === undefined ? lines : [...lines, `WSGIPythonHome "${home}"`];
}

function daemonLines({ folder, home }: WsgiApp): string[] {
  const python = `home="${folder}" python-path="${folder}"${home === undefined ? '' : ` python-home="${home}"`}`;
  return [
    `WSGIDaemonProcess app processes=1 threads=${THREADS} display-name=${DAEMON_TITLE} ${python}`,
    'WSGIProcessGroup app',
    'WSGIRestrictEmbedded On',
  ];
}

/** Apache and mod_wsgi refuse to run as root. */
function userLines(): string[] {
  const all = readFileSync('/etc/passwd', 'utf8');
  for (const user of USERS) {
    const group = new RegExp(`^${user}:[^:]*:\\d+:(\\d+):`, 'm').exec(all)?.[1];
    if (group !== undefined) return [`User ${user}`, `Group #${group}`];
  }
  throw new StackError(`Apache does not run as root, and none of the users ${USERS.join(', ')} exists here`);
}
