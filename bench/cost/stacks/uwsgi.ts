/** uWSGI with one process and no threads. */
import { BUILT_IN } from '../programs.js';
import { addressOf, type CommandOf } from './parts.js';
import { PYTHON_ENV, wsgiApp } from './python.js';

/** By these words it answers itself, before it calls the application, which it has loaded: with the same bytes. */
export const ROUTING: readonly string[] = [
  `--route-run=send:HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello world\n`,
  '--route-run=break:',
];

/** By its own protocol (`socket`) or HTTP. `http` in place of `http-socket` would put a process in front, a hop again. */
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
        // A SIGTERM would have it load everything anew.
        '--die-on-term',
        ...['--need-app', '--disable-logging', `--chdir=${folder}`],
        ...[`--pythonpath=${folder}`, `--wsgi-file=${file}`, `--callable=${callable}`],
        ...(home === undefined ? [] : [`--virtualenv=${home}`]),
        // Else an application that raises an error gets no answer at all: the reader would not see what it was.
        ...(parts.place.wsgi === undefined ? [] : ['--catch-exceptions']),
        // It closes after each answer; unless told, a client takes the connection for kept and loses its next request.
        ...(kind === 'http-socket' ? ['--add-header=Connection: close'] : []),
        ...more,
      ],
      env: PYTHON_ENV,
    };
  };
}
