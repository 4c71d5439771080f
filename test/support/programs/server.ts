/**
 * A program's server in a process of its own: `node server.js NAME ROAD ADDRESS [UPSTREAM]`. It ends when its standard
 * input does.
 */
import { once } from 'node:events';
import { Server, type AddressInfo } from 'node:net';
import { Observer } from './observer.js';
import { openSeam, type Address, type Road, type Seam } from './seam.js';

/** Answers a server that listens, or is about to, or where one listens that the program keeps to itself. */
type Start = (
  seam: Seam,
  address: Address,
  observer: Observer,
  upstream: Address,
) => Server | Promise<Server | Address>;

const PROGRAMS: Readonly<Record<string, () => Promise<{ start: Start }>>> = {
  plain: () => import('./servers/plain.js'),
  express: () => import('./servers/express.js'),
  fastify: () => import('./servers/fastify.js'),
  koa: () => import('./servers/koa.js'),
  hono: () => import('./servers/hono.js'),
  nest: () => import('./servers/nest.js'),
  ws: () => import('./servers/ws.js'),
  'socket.io': () => import('./servers/socket.io.js'),
  grpc: () => import('./servers/grpc.js'),
  'http-proxy': () => import('./servers/http-proxy.js'),
};

const [name = '', road = '', address = '', upstream = 'null'] = process.argv.slice(2);
const program = PROGRAMS[name];
if (program === undefined) throw new Error(`there is no server "${name}"`);
const { start } = await program();
const started = await start(
  await openSeam(road as Road),
  JSON.parse(address) as Address,
  new Observer(),
  JSON.parse(upstream) as Address,
);
process.stdout.write(`${JSON.stringify(started instanceof Server ? await whereIs(started) : started)}\n`);
process.stdin.resume().on('end', () => process.exit());

async function whereIs(server: Server): Promise<Address> {
  if (!server.listening) await once(server, 'listening');
  const bound = server.address() as AddressInfo | string;
  return typeof bound === 'string' ? { path: bound } : { host: bound.address, port: bound.port };
}
