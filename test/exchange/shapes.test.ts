/**
 * The shapes that V8 gives responses and sockets. Code that has seen few shapes reads a field at a place it knows; code that has seen
 * a response whose fields are kept in a dictionary, or many shapes, looks each up: some 45 a request, once.
 */
import { describe, expect, it } from 'vitest';
import { runChild } from '../support/children.js';
import { socketPath } from '../support/sockets.js';

const SERVERS = {
  http: new URL('../../dist/bundle/http.js', import.meta.url).href,
  uwsgi: new URL('../../dist/bundle/uwsgi.js', import.meta.url).href,
};

/** Says whether all that have been made for probes have fast fields, and the shapes of responses before and after their end. */
const PROGRAM = `
const { setFlagsFromString } = await import('node:v8');
const { default: http } = await import('node:http');
setFlagsFromString('--allow-natives-syntax');
const isFast = new Function('object', 'return %HasFastProperties(object)');
const isAlike = new Function('one', 'other', 'return %HaveSameMap(one, other)');
const probes = [];
const { OutgoingMessage } = http;
http.OutgoingMessage = function (options) {
  if (this instanceof http.ServerResponse) probes.push(this);
  return OutgoingMessage.call(this, options);
};
Object.setPrototypeOf(http.OutgoingMessage, OutgoingMessage);
http.OutgoingMessage.prototype = OutgoingMessage.prototype;
const library = await import(process.argv[1]);
const path = process.argv[2];
const ENDS = [
  (response) => response.end('text'),
  (response) => { response.statusCode = 404; response.end(); },
  (response) => response.writeHead(204).end(),
  (response) => response.writeHead(200, 'Fine', { 'Content-Length': 4 }).end('text'),
];
const seen = [];
let last;
const server = library.createServer((request, response) => {
  const before = last === undefined || isAlike(last, response);
  ENDS[seen.length % ENDS.length](response);
  seen.push([before, last === undefined || isAlike(last, response)]);
  last = response;
}).listen(path);
await once(server, 'listening');
const sized = (text) => { const length = Buffer.alloc(2); length.writeUInt16LE(text.length); return Buffer.concat([length, Buffer.from(text)]); };
const variables = Buffer.concat(['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/'].map(sized));
const packet = Buffer.concat([Buffer.from([0, variables.length, 0, 0]), variables]);
const bytes = process.argv[1].endsWith('http.js') ? 'GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' : packet;
for (let i = 0; i < 40; i++) {
  const client = connect({ path, transport: 'js' });
  client.write(bytes);
  for await (const _ of client);
}
say([probes.length > 0, probes.every(isFast), seen.slice(20)]);
server.close();
`;

describe.each(Object.entries(SERVERS))('of %s', (_, library) => {
  it('a probe has its fields where V8 knows them, and all that are answered are of one shape', async () => {
    const result = await runChild('native', PROGRAM, [library, socketPath()]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.said).toEqual([[true, true, Array(20).fill([true, true])]]);
  });
});

/**
 * Under register: for each way in which an object becomes a native socket, whether its fields are fast and which of those of
 * an accepted socket it lacks; then node's channels of requests with and without a subscriber, and the server.
 */
const SOCKETS = `
const { setFlagsFromString } = await import('node:v8');
const diagnostics = await import('node:diagnostics_channel');
const { default: net } = await import('node:net');
const { default: http } = await import('node:http');
setFlagsFromString('--allow-natives-syntax');
const isFast = new Function('object', 'return %HasFastProperties(object)');
const channels = ['request.start', 'response.finish'].map((name) => diagnostics.channel('http.server.' + name));
const before = channels.map(isFast);
await import(process.argv[1]);
const [acceptingPath, path] = process.argv.slice(2);
const accepting = net.createServer((socket) => socket.end()).listen(acceptingPath);
await once(accepting, 'listening');
const client = new net.Socket().connect(acceptingPath);
const [accepted] = await once(accepting, 'connection');
await once(client.resume(), 'close');
const wanted = Object.keys(accepted);
const shapeOf = (socket) => [isFast(socket), wanted.filter((name) => !Object.hasOwn(socket, name))];
say(['connected', ...shapeOf(client)]);
const server = http.createServer((request, response) => {
  if (request.url === '/read') request.socket.on('data', () => {});
  request.resume().on('end', () => {
    say([request.url, ...shapeOf(request.socket)]);
    response.end();
  });
});
server.on('upgrade', (request, socket) => {
  // As WebSocket servers do.
  socket[Symbol('own')] = true;
  say(['upgraded', ...shapeOf(socket)]);
  socket.end();
});
server.listen(path);
await once(server, 'listening');
async function send(request) {
  const socket = connect({ path, transport: 'js' });
  socket.write(request);
  await once(socket, 'data').catch(() => {});
  socket.destroy();
}
async function sendAll() {
  const head = ' HTTP/1.1\\r\\nHost: x\\r\\n';
  await send('POST /chunked' + head + 'Transfer-Encoding: chunked\\r\\n\\r\\n1\\r\\na\\r\\n0\\r\\n\\r\\n');
  await send('GET /read' + head + '\\r\\n');
  const upgraded = connect({ path, transport: 'js' });
  upgraded.write('GET /' + head + 'Connection: Upgrade\\r\\nUpgrade: x\\r\\n\\r\\n');
  await once(upgraded.resume(), 'close');
}
await sendAll();
const unheard = channels.map(isFast);
let told = 0;
for (const channel of channels) channel.subscribe(() => told++);
await sendAll();
// An upgrade is no request of node's channels; the two others are, once each.
say([before, unheard, channels.map(isFast), isFast(server), told]);
process.exit();
`;

describe('of objects that become native sockets', () => {
  it('and of what they go through: fields are where V8 knows them, and none is missing', async () => {
    const register = new URL('../../dist/bundle/register.js', import.meta.url).href;
    const result = await runChild('native', SOCKETS, [register, socketPath(), socketPath()]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const fast = [true, true];
    const ways = ['/chunked', '/read', 'upgraded'].map((way) => [way, true, []]);
    expect(result.said).toEqual([['connected', true, []], ...ways, ...ways, [fast, fast, fast, true, 4]]);
  });
});
