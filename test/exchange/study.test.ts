/** A node whose responses hold back what is written: the short way of `end()` passes over none of it. */
import { describe, expect, it } from 'vitest';
import { runChild } from '../support/children.js';
import { socketPath } from '../support/sockets.js';
import { subjects } from '../support/subjects.js';

const library = new URL('../../dist/bundle/uwsgi.js', import.meta.url).href;

/** Before the library is loaded, as another version of node would be. */
const NODES = {
  'as it is': '',
  'that keeps a first write of a known length in the response': `
    const { write, end } = http.OutgoingMessage.prototype;
    http.OutgoingMessage.prototype.write = function (chunk, encoding, callback) {
      if (this.kept !== undefined || this.headersSent || !this.hasHeader('content-length')) return write.call(this, chunk, encoding, callback);
      this.kept = [chunk, encoding, callback];
      return true;
    };
    http.OutgoingMessage.prototype.end = http.ServerResponse.prototype.end = function (...args) {
      const { kept } = this;
      this.kept = undefined;
      if (kept) write.apply(this, kept);
      return end.apply(this, args);
    };`,
  'that notes more of a response that has ended': `
    const { end } = http.OutgoingMessage.prototype;
    http.OutgoingMessage.prototype.end = http.ServerResponse.prototype.end = function (...args) {
      end.apply(this, args);
      this.noted = 1;
      return this;
    };`,
};

/** What a program puts in the place of node's own when servers are there already. */
const LATER = `
  const ended = [];
  const { end } = http.ServerResponse.prototype;
  const patch = () => { http.ServerResponse.prototype.end = function (...args) { ended.push(this.statusCode); return end.apply(this, args); }; };
`;

const PROGRAM = `
const { default: http } = await import('node:http');
{
NODE
}
LATER
const { createServer: createUwsgi } = await import(process.argv[1]);
const { endsMayBeShort } = await import(new URL('./deep/exchange/study.js', process.argv[1]));
const path = process.argv[2];
const server = createUwsgi((req, res) => {
  if (req.url === '/pieces') { res.setHeader('Content-Length', 2); res.write('a'); res.end('b'); }
  else if (req.url === '/head') { res.writeHead(200, { 'Content-Length': 2 }); res.write('a'); res.end('b'); }
  else res.end('ab');
}).listen(path);
await once(server, 'listening');
const sized = (text) => { const length = Buffer.alloc(2); length.writeUInt16LE(text.length); return Buffer.concat([length, Buffer.from(text)]); };
async function ask(url) {
  const variables = Buffer.concat(['REQUEST_METHOD', 'GET', 'REQUEST_URI', url].map(sized));
  const header = Buffer.alloc(4);
  header.writeUInt16LE(variables.length, 1);
  const client = connect({ path, transport: 'js' });
  client.write(Buffer.concat([header, variables]));
  let answer = '';
  for await (const chunk of client) answer += chunk.toString('latin1');
  return answer.slice(answer.indexOf('\\r\\n\\r\\n') + 4);
}
const bodies = [];
for (const url of ['/pieces', '/head', '/whole']) bodies.push(await ask(url));
patch();
bodies.push(await ask('/whole'));
say([endsMayBeShort(), bodies, ended]);
server.close();
`;

describe.each(subjects.filter(({ name }) => name !== 'node:net'))('on $name', ({ name: subject }) => {
  it.each(Object.entries(NODES))('a node %s', async (node, code) => {
    const program = PROGRAM.replace('NODE', () => code).replace('LATER', () => LATER);
    const result = await runChild(subject, program, [library, socketPath()]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.said).toEqual([[node === 'as it is', ['ab', 'ab', 'ab', 'ab'], [200]]]);
  });
});
