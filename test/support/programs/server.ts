/** A program's server in a process of its own: `node server.js NAME ROAD ADDRESS`. It ends when its standard input does. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { Observer } from './observer.js';
import { openSeam, type Address, type Road, type Seam } from './seam.js';

/** Answers a server that listens, or is about to. */
type Start = (seam: Seam, address: Address, observer: Observer) => Server | Promise<Server>;

const PROGRAMS: Readonly<Record<string, () => Promise<{ start: Start }>>> = {
  plain: () => import('./servers/plain.js'),
  express: () => import('./servers/express.js'),
  fastify: () => import('./servers/fastify.js'),
  koa: () => import('./servers/koa.js'),
  hono: () => import('./servers/hono.js'),
  nest: () => import('./servers/nest.js'),
};

const [name = '', road = '', address = ''] = process.argv.slice(2);
const program = PROGRAMS[name];
if (program === undefined) throw new Error(`there is no server "${name}"`);
const { start } = await program();
const observer = new Observer();
const server = await start(await openSeam(road as Road), JSON.parse(address) as Address, observer);
observer.watch(server);
if (!server.listening) await once(server, 'listening');
const bound = server.address();
const where: Address | null =
  typeof bound === 'object' && bound !== null ? { host: bound.address, port: bound.port } : { path: bound ?? '' };
process.stdout.write(`${JSON.stringify(where)}\n`);
process.stdin.resume().on('end', () => process.exit());
