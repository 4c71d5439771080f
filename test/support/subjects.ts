/** What the contract suites run over: our two transports, and node's own modules as the reference. */
import * as nodeHttp from 'node:http';
import * as nodeNet from 'node:net';
import { createRequire } from 'node:module';
import { networkInterfaces } from 'node:os';
import * as nearwire from 'nearwire';
import * as nearwireHttp from 'nearwire/http';

export type SubjectName = 'native' | 'js' | 'node:net';
export type Family = 'unix' | 'tcp';

type Listener = (socket: nodeNet.Socket) => void;

export interface Subject {
  name: SubjectName;
  createServer(options?: nodeNet.ServerOpts, listener?: Listener): nodeNet.Server;
  connect(options: nearwire.ConnectOptions, listener?: () => void): nodeNet.Socket;
  socket(options?: nearwire.SocketOptions): nodeNet.Socket;
  http: {
    createServer(options: nodeHttp.ServerOptions, listener?: nodeHttp.RequestListener): nodeHttp.Server;
    attach(server: nodeHttp.Server): nodeHttp.Server;
    agent(options?: nodeHttp.AgentOptions): nodeHttp.Agent;
  };
}

export const reference: Subject = {
  name: 'node:net',
  createServer: (options = {}, listener) => nodeNet.createServer(options, listener),
  connect: (options, listener) => nodeNet.connect(options as nodeNet.NetConnectOpts, listener),
  socket: (options) => new nodeNet.Socket(options),
  http: {
    createServer: (options, listener) => nodeHttp.createServer(options, listener),
    attach: (server) => server,
    agent: (options) => new nodeHttp.Agent(options),
  },
};

function ours(transport: 'native' | 'js'): Subject {
  return {
    name: transport,
    createServer: (options = {}, listener) => nearwire.createServer({ ...options, transport }, listener),
    connect: (options, listener) => nearwire.connect({ ...options, transport }, listener),
    socket: (options = {}) => new nearwire.Socket({ ...options, transport }),
    http: {
      createServer: (options, listener) => nearwireHttp.createServer({ ...options, transport }, listener),
      attach: (server) => nearwireHttp.attach(server, { transport }),
      agent: (options = {}) => new nearwireHttp.Agent({ ...options, transport }),
    },
  };
}

/** Containers often have no IPv6. */
export const hasIPv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

/** Without the addon the native suite is left out, except in CI, where that must not go unnoticed. */
const hasAddon = nearwire.transportStatus().addon !== undefined;
const withNative = hasAddon || Boolean(process.env['CI']);

/** The platform file that the addon was built with: linux, darwin or posix. */
function nativeSystem(): string | undefined {
  const { addon } = nearwire.transportStatus();
  if (addon === undefined) return undefined;
  return (createRequire(import.meta.url)(addon) as { system: string }).system;
}

/** Abstract socket names are Linux's; the portable build of the addon refuses them there too. */
export function hasAbstractNames(name: SubjectName): boolean {
  return name === 'native' ? nativeSystem() === 'linux' : process.platform === 'linux';
}

/** Only Linux sends files to every kind of socket by reference; the portable build of the addon does not, there too. */
export function sendsByReference(): boolean {
  return nativeSystem() === 'linux';
}

/** Only Linux opens a file that the kernel has at hand on the calling thread; the portable build uses the thread pool. */
export function opensFilesAtOnce(): boolean {
  return nativeSystem() === 'linux';
}

/** Only Linux keeps connections back until their first byte; the portable build of the addon does not ask for it. */
export function defersAccept(name: SubjectName): boolean {
  return name === 'native' && nativeSystem() === 'linux';
}

/**
 * Only Linux tells a full queue from a socket that nobody listens on; elsewhere, and so in the portable build, who is
 * refused by a socket that is open waits for room.
 */
export function refusalMayBeFullQueue(name: SubjectName): boolean {
  return name === 'native' && nativeSystem() !== 'linux';
}

export const js = ours('js');
export const native = ours('native');
/** Some of them alone, where nothing but the addon is another one than in the run of all. */
const wanted = process.env['NEARWIRE_TEST_SUBJECTS']?.split(',');
export const subjects: Subject[] = [...(withNative ? [native] : []), js, reference].filter(
  ({ name }) => wanted?.includes(name) ?? true,
);
export const families: Family[] = ['unix', 'tcp'];
/** Every subject over every family. */
export const everyWay = subjects.flatMap((subject) =>
  families.map((family) => ({ subject, family, name: subject.name })),
);
