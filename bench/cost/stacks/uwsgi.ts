/** uWSGI with one process and no threads: behind nginx by its own protocol and by HTTP, and by itself. */
import type { Hop, Stack, Target } from '../model.js';
import { BUILT_IN } from '../programs.js';
import { answerOf, HELLO } from '../works.js';
import { launchNginx, proxyOptions, uwsgiOptions } from './nginx.js';
import { startParts, type Parts } from './parts.js';
import { PYTHON_ENV, PYTHON_WORKS, wsgiApp } from './python.js';
import { makeTarget } from './where.js';

const FAMILIES = [
  { family: 'unix', title: 'UNIX' },
  { family: 'tcp', title: 'TCP' },
] as const;
const NEEDS = ['uwsgi', 'uwsgi-python3'] as const;

/** 1. nginx -> uWSGI -> the application. */
export const NGINX_UWSGI: readonly Stack[] = FAMILIES.map(({ family, title }) => ({
  name: `nginx-uwsgi-${family}`,
  title: `nginx -> uWSGI (uwsgi protocol), ${title}`,
  language: 'python',
  hop: { family, protocol: 'uwsgi', connections: 'close' },
  needs: ['nginx', ...NEEDS],
  works: PYTHON_WORKS,
  start: (place) =>
    startParts(place, async (parts) => {
      const hopTarget = await launchUwsgi(parts, 'socket', family);
      const target = await launchNginx(parts, uwsgiOptions(hopTarget));
      await parts.untilAppServes(target, place.wsgi !== undefined);
      return { target, hopTarget };
    }),
}));

/** 2. nginx -> uWSGI as an HTTP server. It keeps no connections, so that nginx must not either. */
export const NGINX_UWSGI_HTTP: readonly Stack[] = FAMILIES.map(({ family, title }) => ({
  name: `nginx-uwsgihttp-${family}`,
  title: `nginx -> uWSGI (HTTP), ${title}`,
  language: 'python',
  hop: { family, protocol: 'http', connections: 'close' },
  needs: ['nginx', ...NEEDS],
  works: PYTHON_WORKS,
  start: (place) =>
    startParts(place, async (parts) => {
      const hopTarget = await launchUwsgi(parts, 'http-socket', family);
      const target = await launchNginx(parts, proxyOptions(hopTarget, 'close'));
      await parts.untilAppServes(target, place.wsgi !== undefined);
      return { target, hopTarget };
    }),
}));

/** 3. uWSGI alone. `http-socket`, as `http` would put a process of its own in front, which is a hop again. */
export const UWSGI_ALONE: Stack = {
  name: 'uwsgi-http',
  title: 'uWSGI as HTTP server alone',
  language: 'python',
  hop: undefined,
  needs: NEEDS,
  works: PYTHON_WORKS,
  start: (place) =>
    startParts(place, async (parts) => {
      const target = await launchUwsgi(parts, 'http-socket', 'tcp');
      await parts.untilAppServes(target, place.wsgi !== undefined);
      return { target, hopTarget: undefined };
    }),
};

/** 11. As nginx-uwsgi-unix, but that uWSGI answers before it calls the application, which it has loaded. */
export const UWSGI_ROUTING: Stack = {
  name: 'nginx-uwsgirouting-unix',
  title: 'nginx -> uWSGI that answers by itself (internal routing), UNIX',
  language: 'none',
  hop: { family: 'unix', protocol: 'uwsgi', connections: 'close' },
  needs: ['nginx', ...NEEDS],
  works: ['hello'],
  start: (place) =>
    startParts({ ...place, wsgi: undefined }, async (parts) => {
      const body = answerOf(HELLO) ?? '';
      const hopTarget = await launchUwsgi(parts, 'socket', 'unix', [
        // All that the application's answer consists of, head included: `send` is for raw bytes.
        ['route-run', `send:${answerHead(body)}${body}`],
        ['route-run', 'break:'],
      ]);
      const target = await launchNginx(parts, uwsgiOptions(hopTarget));
      await parts.untilServing(target, HELLO.path, body);
      return { target, hopTarget };
    }),
};

/** As uWSGI writes what the application says. */
function answerHead(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${String(body.length)}\r\n\r\n`;
}

type Words = readonly (readonly [name: string, value?: string])[];

/** Starts it, and is through when it listens. */
async function launchUwsgi(
  parts: Parts,
  kind: 'socket' | 'http-socket',
  family: Hop['family'],
  more: Words = [],
): Promise<Target> {
  const target = await makeTarget(parts, family);
  const app = wsgiApp(parts);
  const plugin = parts.program('uwsgi-python3');
  const words: Words = [
    ...(plugin === BUILT_IN ? [] : [['plugin', plugin] as const]),
    [kind, 'path' in target ? target.path : `${target.host}:${String(target.port)}`],
    ['processes', '1'],
    ['master'],
    ['no-orphans'],
    // A SIGTERM would have it load everything anew.
    ['die-on-term'],
    ['need-app'],
    ['disable-logging'],
    ['chdir', app.folder],
    ['pythonpath', app.folder],
    ['wsgi-file', app.file],
    ['callable', app.callable],
    ...(app.home === undefined ? [] : [['virtualenv', app.home] as const]),
    // Else an application that raises an error gets no answer at all: the reader would not see what it was.
    ...(parts.place.wsgi === undefined ? [] : [['catch-exceptions'] as const]),
    // It closes after each answer; unless told, a client takes the connection for kept and loses its next request.
    ...(kind === 'http-socket' ? [['add-header', 'Connection: close'] as const] : []),
    ...more,
  ];
  await parts.launch({
    name: 'uwsgi',
    role: 'app',
    command: parts.program('uwsgi'),
    env: PYTHON_ENV,
    args: words.flatMap(([name, value]) => (value === undefined ? [`--${name}`] : [`--${name}`, value])),
  });
  await parts.untilListening(target);
  return target;
}
