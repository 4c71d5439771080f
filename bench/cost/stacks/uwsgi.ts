/** uWSGI with one process and no threads. */
import { BUILT_IN } from '../programs.js';
import { addressOf, type CommandOf } from './parts.js';
import { PYTHON_ENV, wsgiApp } from './python.js';

/**
 * With these arguments it responds by itself, with the same bytes, before it calls the application, which it has
 * loaded.
 */
export const ROUTING: readonly string[] = [
  `--route-run=send:HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello world\n`,
  '--route-run=break:',
];

/**
 * Using its own protocol (`socket`) or HTTP. `http` instead of `http-socket` would add a process in front, which is
 * another hop.
 */
export function uwsgi(kind: 'socket' | 'http-socket', more: readonly string[] = []): CommandOf {
  return (parts, target) => {
    const { file, callable, folder, home } = wsgiApp(parts);
    const plugin = parts.program('uwsgi-python3');
    return {
      name: 'uwsgi',
      command: parts.program('uwsgi'),
      args: [
        ...(plugin === BUILT_IN ? [] : [`--plugin=${plugin}`]),
        ...[`--${kind}=${addressOf(target)}`, '--processes=1', '--master', '--no-orphans'],
        // Otherwise a SIGTERM would make it reload everything.
        '--die-on-term',
        ...['--need-app', '--disable-logging', `--chdir=${folder}`],
        ...[`--pythonpath=${folder}`, `--wsgi-file=${file}`, `--callable=${callable}`],
        ...(home === undefined ? [] : [`--virtualenv=${home}`]),
        // Otherwise an application that raises an error sends no response, and the user would not see the error.
        ...(parts.place.wsgi === undefined ? [] : ['--catch-exceptions']),
        // It closes after each response; without this header, a client considers the connection kept and loses its next
        // request.
        ...(kind === 'http-socket' ? ['--add-header=Connection: close'] : []),
        ...more,
      ],
      env: PYTHON_ENV,
    };
  };
}
