/** A program's client in a process of its own: `node client.js NAME ROAD ADDRESS AMOUNT`. It says what came of its work. */
import { subscribe } from 'node:diagnostics_channel';
import { countTransports, openSeam, type Address, type Road, type Seam } from './seam.js';
import { doWork, type Amount, type Sender } from './work.js';

type Start = (seam: Seam, address: Address, road: Road) => Sender | Promise<Sender>;

const CLIENTS: Readonly<Record<string, () => Promise<{ start: Start }>>> = {
  node: () => import('./clients/node.js'),
  undici: () => import('./clients/undici.js'),
  got: () => import('./clients/got.js'),
  axios: () => import('./clients/axios.js'),
  ws: () => import('./clients/ws.js'),
  'socket.io': () => import('./clients/socket.io.js'),
  grpc: () => import('./clients/grpc.js'),
};

const [name = '', road = '', address = '', amount = ''] = process.argv.slice(2);
const program = CLIENTS[name];
if (program === undefined) throw new Error(`there is no client "${name}"`);
const opened: object[] = [];
subscribe('net.client.socket', (message) => opened.push((message as { socket: object }).socket));
const { start } = await program();
const send = await start(await openSeam(road as Road), JSON.parse(address) as Address, road as Road);
const result = await doWork(send, JSON.parse(amount) as Amount);
// A socket gets its label after the channel has told of it: it is asked now.
const sockets = countTransports(opened);
process.stdout.write(`${JSON.stringify({ ...result, sockets })}\n`, () => process.exit());
