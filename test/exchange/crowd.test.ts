/**
 * 64 connections at once are the first that a process, or a worker of it, serves, and each has a handler of another kind: none
 * finds another's context, and what one throws costs the others nothing.
 */
import { describe, expect, it } from 'vitest';
import { runChild } from '../support/children.js';
import { socketPath } from '../support/sockets.js';
import { subjects } from '../support/subjects.js';

const library = new URL('../../dist/bundle/uwsgi.js', import.meta.url).href;

/** Runs in the child itself, or in a worker of it. */
const SERVE = `
const { EventEmitter, once } = await import('node:events');
const { AsyncLocalStorage } = await import('node:async_hooks');
const { Readable } = await import('node:stream');
const net = await import('node:net');
EventEmitter.captureRejections = true;
const { createServer: createUwsgi } = await import(LIBRARY);
const COUNT = 64;
const storage = new AsyncLocalStorage();
const thrown = [];
const strangers = [];
process.on('uncaughtException', (error) => thrown.push(error.message));
const KINDS = {
  whole: (req, res, id) => res.end(id),
  late: (req, res, id) => setTimeout(() => res.end(id), 20),
  stream: (req, res, id) => Readable.from(['a', 'b', id]).pipe(res),
  read: async (req, res, id) => { for await (const chunk of req) check(id, 'chunk'); res.write('x'); res.end(id); },
  unread: (req, res, id) => setImmediate(() => res.end(id)),
  throws: (req, res, id) => { setTimeout(() => res.end(id), 20); throw new Error('handler'); },
  answered: (req, res, id) => { res.end(id); throw new Error('answered'); },
  rejects: async (req, res, id) => { res.setHeader('X-Mine', id); await undefined; throw new Error('rejected'); },
};
const kinds = Object.keys(KINDS);
function check(id, where) { if (storage.getStore() !== id) strangers.push([where, id, storage.getStore()]); }
const server = createUwsgi((req, res) => {
  const [, kind, id] = req.url.split('/');
  if (storage.getStore() !== undefined) strangers.push(['request', id, storage.getStore()]);
  return storage.run(id, () => {
    // Who answers for one that rejects, node's own code, does so in the server's context.
    if (kind !== 'rejects') res.on('finish', () => check(id, 'finish'));
    if (kind !== 'rejects') res.on('close', () => check(id, 'close'));
    return KINDS[kind](req, res, id);
  });
});
server.listen(PATH);
await once(server, 'listening');
const sized = (text) => { const length = Buffer.alloc(2); length.writeUInt16LE(text.length); return Buffer.concat([length, Buffer.from(text)]); };
function packet(url, body) {
  const variables = Buffer.concat(['REQUEST_METHOD', 'POST', 'REQUEST_URI', url, 'CONTENT_LENGTH', String(body.length)].map(sized));
  const header = Buffer.alloc(4);
  header.writeUInt16LE(variables.length, 1);
  return Buffer.concat([header, variables, body]);
}
async function ask(i) {
  const kind = kinds[i % kinds.length];
  const client = net.connect(PATH);
  client.write(packet('/' + kind + '/' + i, Buffer.alloc(i * 500, 'x')));
  let answer = '';
  for await (const chunk of client) answer += chunk.toString('latin1');
  const [head, body] = answer.split('\\r\\n\\r\\n');
  const expected = { rejects: 'Internal Server Error', read: 'x' + i, stream: 'ab' + i }[kind] ?? String(i);
  const status = kind === 'rejects' ? '500' : '200';
  return body === expected && head.split(' ')[1] === status && !head.includes('X-Mine');
}
const answers = await Promise.all(Array.from({ length: COUNT }, (_, i) => ask(i)));
server.close();
await once(server, 'close');
tell([answers.filter(Boolean).length, thrown.sort(), strangers]);
`;

const IN_WORKER = `
const { Worker } = await import('node:worker_threads');
const [, library, path, code] = process.argv;
const head = "const { parentPort, workerData } = await import('node:worker_threads'); const tell = (value) => parentPort.postMessage(value); const [LIBRARY, PATH] = workerData;";
const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(head + code)), { workerData: [library, path] });
worker.on('message', say);
const [exitCode] = await once(worker, 'exit');
if (exitCode !== 0) process.exit(1);
`;

const HERE = 'const tell = say; const [, LIBRARY, PATH] = process.argv;';

const THROWN = [...Array<string>(8).fill('answered'), ...Array<string>(8).fill('handler')];

describe.each(subjects.filter(({ name }) => name !== 'node:net'))('64 at once on $name', ({ name: subject }) => {
  it.each([
    ['of a process', HERE + SERVE.replace('const { EventEmitter, once }', 'const { EventEmitter }')],
    ['of a worker', IN_WORKER],
  ])('%s', async (_, program) => {
    const result = await runChild(subject, program, [library, socketPath(), SERVE]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.said).toEqual([[64, THROWN, []]]);
  });
});
