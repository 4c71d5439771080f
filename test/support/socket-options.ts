/** Every kind of thing that has socket options, and a second pair of eyes on them. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as http from 'node:http';
import { createRequire } from 'node:module';
import type { Server, Socket } from 'node:net';
import { transportStatus } from 'nearwire';
import { Channel, ChannelServer, type ConnectTarget } from 'nearwire/channel';
import type { SocketOptionValues, TuneTarget } from 'nearwire/tune';
import type { NativeAddon, NativeOptionRow } from '../../src/binding/addon.js';
import { cleanup, freshAddress, listen, pair } from './sockets.js';
import type { Family, Subject, SubjectName } from './subjects.js';

/** The built one: a module of its own would know other symbols. */
const built = new URL('../../dist/bundle/deep/tune/target.js', import.meta.url).href;
export const { descriptorOf } = (await import(built)) as typeof import('../../src/tune/target.js');

/** The addon's own table; empty without an addon. */
export function optionRows(): NativeOptionRow[] {
  const { addon } = transportStatus();
  return addon === undefined ? [] : (createRequire(import.meta.url)(addon) as NativeAddon).socketOptions();
}

/** A kind of socket, as one bit. */
export const UNIX = { connection: 1, listener: 2 };
export const TCP = { connection: 4, listener: 8 };

/** Something with a socket underneath. */
export interface Holder {
  target: TuneTarget;
  /** One bit of `SocketKind`. */
  kind: number;
}

export interface HolderKind {
  name: string;
  open(subject: Subject, family: Family): Promise<Holder>;
}

function kinds(family: Family): { connection: number; listener: number } {
  return family === 'unix' ? UNIX : TCP;
}

async function openChannel(subject: Subject, family: Family): Promise<{ channel: Channel; server: ChannelServer }> {
  const transport = subject.name as 'native' | 'js';
  return new Promise((resolve, reject) => {
    const onServerError = (_server: ChannelServer, error: Error): void => {
      reject(error);
    };
    const onListening = (server: ChannelServer): void => {
      const address = server.address();
      const target = typeof address === 'string' ? { path: address } : { port: address?.port };
      const onConnect = (channel: Channel): void => {
        resolve({ channel, server });
      };
      const channel = Channel.connect({ ...target, transport } as ConnectTarget, { onConnect });
      cleanup(() => {
        channel.destroy();
      });
    };
    const { path, port } = freshAddress(family);
    const at = path === undefined ? { port: port ?? 0 } : { path };
    const server = ChannelServer.listen({ ...at, transport }, { onListening, onServerError });
    cleanup(() => {
      server.close();
    });
  });
}

/** `node:net` has no channels. */
export function hasChannels(name: SubjectName): boolean {
  return name !== 'node:net';
}

export const holderKinds: HolderKind[] = [
  {
    name: 'a client',
    open: async (subject, family) => {
      const { client } = await pair(subject, family);
      return { target: client, kind: kinds(family).connection };
    },
  },
  {
    name: 'an accepted socket',
    open: async (subject, family) => {
      const { peer } = await pair(subject, family);
      return { target: peer, kind: kinds(family).connection };
    },
  },
  {
    name: 'a server',
    open: async (subject, family) => {
      const server = subject.createServer();
      await listen(server, family);
      return { target: server, kind: kinds(family).listener };
    },
  },
  {
    name: 'an http server',
    open: async (subject, family) => {
      const server: Server = subject.http.createServer({});
      await listen(server, family);
      return { target: server, kind: kinds(family).listener };
    },
  },
  {
    name: "an http request's socket",
    open: async (subject, family) => {
      const server = subject.http.createServer({});
      const address = await listen(server, family);
      const agent = subject.http.agent();
      const request = http.get({ agent, ...('path' in address ? { socketPath: address.path } : address) });
      request.on('error', () => undefined);
      const [socket] = (await once(request, 'socket')) as [Socket];
      if (socket.connecting) await once(socket, 'connect');
      cleanup(() => {
        agent.destroy();
      });
      return { target: socket, kind: kinds(family).connection };
    },
  },
  {
    name: 'a channel',
    open: async (subject, family) => {
      const { channel } = await openChannel(subject, family);
      return { target: channel, kind: kinds(family).connection };
    },
  },
  {
    name: 'a channel server',
    open: async (subject, family) => {
      const { server } = await openChannel(subject, family);
      return { target: server, kind: kinds(family).listener };
    },
  },
  {
    name: "a socket's descriptor",
    open: async (subject, family) => {
      const { client } = await pair(subject, family);
      return { target: descriptorOf(client), kind: kinds(family).connection };
    },
  },
];

/** What Python's own constants read from the socket, by our names; undefined without Python. */
export function readByPython(fd: number): SocketOptionValues | undefined {
  const script = `
import json, socket as s, struct
S = s.socket(fileno=s.dup(3))
def number(level, name): return S.getsockopt(level, name)
def pair(level, name):
    raw = S.getsockopt(level, name, 16)
    return struct.unpack('ii', raw[:8]) if len(raw) == 8 else struct.unpack('ll', raw)
def time(name): return (lambda t: t[0] * 1000 + t[1] / 1000)(pair(s.SOL_SOCKET, name))
def linger(name): return (lambda l: l[1] if l[0] else False)(pair(s.SOL_SOCKET, name))
def of(name, *others): return next((getattr(s, n) for n in (name, *others) if hasattr(s, n)), None)
T, K = s.IPPROTO_TCP, s.SOL_SOCKET
wanted = {
  'sendBufferSize': (number, K, s.SO_SNDBUF), 'recvBufferSize': (number, K, s.SO_RCVBUF),
  'keepAlive': (lambda *a: number(*a) != 0, K, s.SO_KEEPALIVE),
  'keepAliveIdleSeconds': (number, T, of('TCP_KEEPIDLE', 'TCP_KEEPALIVE')), 'keepAliveIntervalSeconds': (number, T, of('TCP_KEEPINTVL')),
  'keepAliveCount': (number, T, of('TCP_KEEPCNT')), 'noDelay': (lambda *a: number(*a) != 0, T, s.TCP_NODELAY),
  'quickAck': (lambda *a: number(*a) != 0, T, of('TCP_QUICKACK')), 'userTimeout': (number, T, of('TCP_USER_TIMEOUT')),
  'notSentLowWaterMark': (number, T, of('TCP_NOTSENT_LOWAT')), 'mark': (number, K, of('SO_MARK')),
  'priority': (number, K, of('SO_PRIORITY')), 'incomingCpu': (number, K, of('SO_INCOMING_CPU')),
  'passCredentials': (lambda *a: number(*a) != 0, K, of('SO_PASSCRED')),
  'sendTimeout': (time, s.SO_SNDTIMEO), 'recvTimeout': (time, s.SO_RCVTIMEO), 'lingerSeconds': (linger, s.SO_LINGER),
}
found = {}
for key, (read, *words) in wanted.items():
    if None in words: continue
    try: found[key] = read(*words)
    except OSError: pass
print(json.dumps(found))`;
  const result = spawnSync('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit', fd], encoding: 'utf8' });
  return result.error === undefined ? (JSON.parse(result.stdout) as SocketOptionValues) : undefined;
}
