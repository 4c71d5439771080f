/** The stacks, one row each, and the servers that they consist of. */
import type { Hop, RunningStack, Stack, StackPlace, Target, Work, WorkName } from '../model.js';
import type { ProgramName } from '../programs.js';
import { HELLO } from '../works.js';
import { apache, THREADS } from './apache.js';
import { javascript } from './javascript.js';
import { answering, nginxCommand, passingOn, type Directives } from './nginx.js';
import { addressOf, startParts, type Command, type CommandOf, type Parts } from './parts.js';
import { ROUTING, uwsgi } from './uwsgi.js';
import { yaws } from './yaws.js';

/** A server that responds. */
interface Server {
  readonly title: string;
  readonly language: Stack['language'];
  readonly needs: readonly ProgramName[];
  /** The protocol that nginx uses to reach it. */
  readonly protocol: 'uwsgi' | 'http';
  /** Its internal hop, if it has one. */
  readonly hop?: Hop;
  readonly command: CommandOf;
}

/** The works that its applications support. */
const WORKS: Readonly<Record<Stack['language'], readonly WorkName[]>> = {
  python: ['hello', 'empty', 'json', 'page', 'own'],
  node: ['hello', 'empty', 'json', 'own'],
  erlang: ['hello', 'empty', 'json'],
  other: ['hello', 'empty', 'json'],
  none: ['hello'],
};

const UWSGI = { language: 'python', needs: ['uwsgi', 'uwsgi-python3'], protocol: 'uwsgi' } as const;
const APACHE = { language: 'python', needs: ['apache2', 'mod_wsgi'], protocol: 'http' } as const;
const NODE = { language: 'node', needs: [], protocol: 'http' } as const;
const OTHER = { language: 'other', protocol: 'http' } as const;

/** By their part of a stack's name. */
const SERVERS = {
  uwsgi: { ...UWSGI, title: 'uWSGI (uwsgi protocol)', command: uwsgi('socket') },
  // It keeps no connections, so nginx must not either.
  uwsgihttp: { ...UWSGI, protocol: 'http', title: 'uWSGI (HTTP)', command: uwsgi('http-socket') },
  uwsgirouting: {
    ...UWSGI,
    language: 'none',
    title: 'uWSGI alone (internal routing)',
    command: uwsgi('socket', ROUTING),
  },
  apacheDaemon: {
    ...APACHE,
    title: `Apache -> mod_wsgi daemon, ${THREADS} threads each`,
    hop: { family: 'unix', protocol: 'mod_wsgi', connections: 'close' },
    command: apache('daemon'),
  },
  apacheEmbedded: {
    ...APACHE,
    title: `Apache with mod_wsgi embedded, ${THREADS} threads`,
    command: apache('embedded'),
  },
  yaws: { title: 'Yaws (Erlang) alone', language: 'erlang', needs: ['yaws'], protocol: 'http', command: yaws },
  node: { ...NODE, title: 'node:http over node:net', command: javascript('node:http') },
  nearwire: { ...NODE, title: 'node:http over nearwire', command: javascript('nearwire/http') },
  nearwireuwsgi: { ...NODE, protocol: 'uwsgi', title: 'nearwire/uwsgi', command: javascript('nearwire/uwsgi') },
  uws: { ...OTHER, title: 'uWebSockets.js', needs: ['uWebSockets.js'], command: javascript('uWebSockets.js') },
  bun: { ...OTHER, title: 'Bun.serve', needs: ['bun'], command: javascript('bun') },
} satisfies Record<string, Server>;

const FAMILIES = { unix: 'UNIX', tcp: 'TCP' } as const;
const BOTH = ['unix', 'tcp'] as const;
const CONNECTIONS = {
  close: { short: '-close', title: ', a connection per request' },
  'keep-alive': { short: '-keep', title: ', kept connections' },
} as const;

export const STACKS: readonly Stack[] = [
  ...behindNginx('uwsgi', BOTH, ['close']),
  ...behindNginx('uwsgihttp', BOTH, ['close']),
  alone('uwsgi-http', { ...SERVERS.uwsgihttp, title: 'uWSGI as HTTP server alone' }),
  alone('apache-daemon', SERVERS.apacheDaemon),
  alone('apache-embedded', SERVERS.apacheEmbedded),
  alone('yaws', SERVERS.yaws),
  ...behindNginx('node', BOTH, ['close', 'keep-alive']),
  ...behindNginx('nearwire', BOTH, ['close', 'keep-alive']),
  ...BOTH.map((family) => alone(`node-${family}`, SERVERS.node, family)),
  ...BOTH.map((family) => alone(`nearwire-${family}`, SERVERS.nearwire, family)),
  ...behindNginx('nearwireuwsgi', BOTH, ['close']),
  nginxAlone(HELLO),
  ...behindNginx('uws', ['unix'], ['keep-alive']),
  ...behindNginx('bun', ['unix'], ['keep-alive']),
  ...behindNginx('uwsgirouting', ['unix'], ['close']),
];

export function stackNamed(name: string): Stack {
  const stack = STACKS.find((entry) => entry.name === name);
  if (!stack) throw new RangeError(`no stack ${name}`);
  return stack;
}

function behindNginx(
  short: keyof typeof SERVERS,
  families: readonly Hop['family'][],
  kinds: readonly Hop['connections'][],
): Stack[] {
  const server: Server = SERVERS[short];
  const hops = families.flatMap((family) =>
    kinds.map((connections) => ({ family, protocol: server.protocol, connections })),
  );
  return hops.map((hop) => {
    const { family, connections } = hop;
    const ending = kinds.length > 1 ? CONNECTIONS[connections] : { short: '', title: '' };
    return {
      name: `nginx-${short}-${family}${ending.short}`,
      title: `nginx -> ${server.title}, ${FAMILIES[family]}${ending.title}`,
      ...{ language: server.language, works: WORKS[server.language], needs: ['nginx', ...server.needs], hop },
      start: (place) => startServer(place, server, family, hop),
    };
  });
}

/** `family`: included in its title if both are possible. */
function alone(name: string, server: Server, family?: Hop['family']): Stack {
  const { language, needs, hop } = server;
  const title = family === undefined ? server.title : `${server.title}, ${FAMILIES[family]}`;
  const works = WORKS[language];
  return { name, title, language, hop, needs, works, start: (place) => startServer(place, server, family ?? 'tcp') };
}

/**
 * Everything that a reverse proxy does for a request by itself. Besides hello world it serves the one work whose body
 * is known.
 */
export function nginxAlone(work: Work): Stack {
  return alone('nginx', {
    ...{ title: 'nginx alone', language: 'none', needs: ['nginx'], protocol: 'http' },
    command: (parts, target) => nginxBy(parts, target, answering(parts.folder, work)),
  });
}

/** `hop`: nginx's, if it is the reverse proxy. */
function startServer(
  place: StackPlace,
  { language, command }: Server,
  family: Hop['family'],
  hop?: Hop,
): Promise<RunningStack> {
  const wsgi = language === 'python' ? place.wsgi : undefined;
  const app = language === 'node' ? place.app : undefined;
  const isOwn = wsgi !== undefined || app !== undefined;
  return startParts({ ...place, wsgi, app }, async (parts) => {
    const upstream = await parts.freeTarget(family);
    await parts.launch(command(parts, upstream));
    const target = hop === undefined ? upstream : await parts.freeTarget('tcp');
    if (hop !== undefined) await parts.launch(nginxBy(parts, target, passingOn(hop, upstream)));
    await parts.untilServing(target, isOwn ? (place.ownPath ?? '/') : HELLO.path);
    return target;
  });
}

/** nginx in front of a plain C server: what remains of a stack when nothing more can be removed. */
export function leastHop(hop: Hop, bytes: number): Stack {
  const { family, protocol, connections } = hop;
  const server: Server = {
    ...{ title: 'plain C', language: 'none', needs: [], protocol: protocol === 'uwsgi' ? 'uwsgi' : 'http' },
    command(parts, target) {
      const words = [
        ...['serve', '--case', 'cost', '--family', family, '--address', addressOf(target)],
        ...['--protocol', server.protocol, '--answer', String(bytes)],
      ];
      // It exits when its stdin ends, so stdin must stay open.
      return {
        name: 'plain-c',
        command: 'sh',
        args: ['-c', 'sleep infinity | "$@"', 'sh', parts.program('floor'), ...words],
      };
    },
  };
  return {
    ...{ name: `nginx-c-${family}-${protocol}-${connections}`, title: 'nginx -> plain C', language: 'none', hop },
    ...{ needs: ['nginx', 'floor'], works: [], start: (place) => startServer(place, server, family, hop) },
  };
}

function nginxBy(parts: Parts, target: Target, directives: Directives): Command {
  return nginxCommand(parts.program('nginx'), parts.folder, addressOf(target), directives);
}
