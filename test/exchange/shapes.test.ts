/**
 * The shapes that V8 gives responses. Code that has seen few shapes reads a field at a place it knows; code that has seen
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
