/**
 * Listeners and callbacks that throw, in a process that goes on after that: what else is told, how the connection ends, and
 * that the server serves on. Where node:http loses nothing it is the reference. Each runs all cases in one child.
 */
import * as http from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { runChild } from '../support/children.js';
import { socketPath } from '../support/sockets.js';
import { subjects, type SubjectName } from '../support/subjects.js';

const library = new URL('../../dist/bundle/uwsgi.js', import.meta.url).href;

/** What each case comes to, if it is not what node:http does: of that much would be lost. */
interface Case {
  handler: string;
  method?: 'POST';
  expected?: string[];
}

/** Newer nodes keep the callbacks of `end()` apart and call them before 'finish', to older ones they are listeners of it. */
const response = new http.ServerResponse(new http.IncomingMessage(null as never));
const endsFirst = Object.getOwnPropertySymbols(response).some(({ description }) => description === 'kEndCallbacks');

function ended(...told: string[]): string[] {
  return endsFirst ? [...told, 'res finish'] : ['res finish', ...told];
}

const AFTER = ['res close', 'req end', 'req close'];

/** The order of the last events differs from node to node. */
function settled(log: readonly string[]): string[] {
  const end = log.findLastIndex((told) => !AFTER.includes(told)) + 1;
  return [...log.slice(0, end), ...log.slice(end).sort()];
}

const ABORTED = ['req aborted', 'res close', 'req error ECONNRESET', 'req close'];

const cases: Record<string, Case> = {
  'a callback of a write': {
    handler: `res.write('a', () => { note('a'); fail('a'); }); setTimeout(() => res.end('b', () => note('ended')), 5);`,
  },
  'callbacks of writes that leave together': {
    handler: `res.write('a', () => { note('a'); fail('a'); }); res.write('b', () => { note('b'); fail('b'); }); res.end('c', () => note('ended'));`,
    expected: ['a', 'thrown a', 'b', 'thrown b', ...ended('ended'), ...AFTER],
  },
  'the callback of an end': {
    handler: `res.end('a', () => { note('ended'); fail('ended'); });`,
    expected: [...ended('ended', 'thrown ended'), ...AFTER],
  },
  "a listener of 'finish'": { handler: `res.on('finish', () => fail('finish')); res.end('a');` },
  "a listener of 'finish' before all others": {
    handler: `res.prependListener('finish', () => fail('finish')); res.end('a');`,
    expected: ['thrown finish', ...AFTER],
  },
  "a listener of 'finish', of an answer in pieces": {
    handler: `res.on('finish', () => fail('finish')); res.write('a'); res.end('b');`,
  },
  "a listener of 'drain'": {
    handler: `res.on('drain', () => fail('drain')); res.write(BIG, () => note('big')); res.write('y', () => { note('small'); setImmediate(() => res.end()); });`,
    expected: ['res drain', 'thrown drain', 'big', 'small', 'res finish', ...AFTER],
  },
  "a listener of the response's 'close'": { handler: `res.on('close', () => fail('close')); res.end('a');` },
  "a listener of the request's 'end'": {
    handler: `req.on('end', () => fail('end')); req.resume(); setTimeout(() => res.end('a'), 5);`,
    method: 'POST',
  },
  "a listener of the request's 'data'": {
    handler: `req.on('data', () => fail('data')); req.on('end', () => res.end('a'));`,
    method: 'POST',
    expected: ['thrown data', 'req end', 'res finish', 'res close', 'req close'],
  },
  'a handler that answers no more': { handler: `setTimeout(() => client.destroy(), 5); fail('handler');` },
  'a handler that has answered': {
    handler: `res.end('a'); fail('handler');`,
    expected: ['thrown handler', 'res finish', ...AFTER],
  },
  'a handler that answers later': {
    handler: `req.on('end', () => res.end('a')); req.resume(); fail('handler');`,
    method: 'POST',
    expected: ['thrown handler', 'req end', 'res finish', 'res close', 'req close'],
  },
  'two listeners within one read': {
    handler: `req.on('data', () => fail('data')); req.on('end', () => res.end('a')); fail('handler');`,
    method: 'POST',
    expected: ['thrown handler', 'thrown data', 'req end', 'res finish', 'res close', 'req close'],
  },
  'callbacks of writes that are given up': {
    handler: `
      const given = (name) => (error) => { note(name + ' ' + error?.code); fail(name); };
      client.pause();
      res.write(HUGE, given('a')); res.write('b', given('b')); setTimeout(() => res.destroy(), 5);`,
    expected: ['a ERR_STREAM_DESTROYED', 'thrown a', 'b ERR_STREAM_DESTROYED', 'thrown b', ...ABORTED],
  },
  "a listener of 'close', of an answer that is given up": {
    handler: `res.on('close', () => fail('close')); res.destroy();`,
    expected: ['req aborted', 'res close', 'thrown close', 'req error ECONNRESET', 'req close'],
  },
};

const PROGRAM = `
import * as http from 'node:http';
const { createServer: createUwsgi } = await import(process.argv[1]);
const path = process.argv[2];
const cases = JSON.parse(process.argv[3]);
const isNode = process.env.SUBJECT === 'node:net';
const BIG = Buffer.alloc(3_000_000, 'x');
const HUGE = Buffer.alloc(30_000_000, 'x');
let log = [];
const note = (text) => log.push(text);
const fail = (text) => { throw new Error(text); };
process.on('uncaughtException', (error) => note('thrown ' + error.message));
let handle; let client; let closed;
const listener = (req, res) => {
  if (handle === undefined) { res.end('fine'); return; }
  for (const name of ['aborted', 'end', 'error', 'close']) req.on(name, (error) => note(['req', name, error?.code].filter(Boolean).join(' ')));
  for (const name of ['finish', 'drain', 'error', 'close']) res.on(name, (error) => note(['res', name, error?.code].filter(Boolean).join(' ')));
  handle(req, res);
};
const server = isNode ? http.createServer(listener) : createUwsgi(listener);
server.on('connection', (socket) => { closed = once(socket, 'close'); });
server.listen(path);
await once(server, 'listening');
const sized = (text) => { const length = Buffer.alloc(2); length.writeUInt16LE(text.length); return Buffer.concat([length, Buffer.from(text)]); };
function request(method) {
  const body = method === 'POST' ? 'some body' : '';
  if (isNode) return method + ' / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\nContent-Length: ' + body.length + '\\r\\n\\r\\n' + body;
  const variables = Buffer.concat(['REQUEST_METHOD', method, 'REQUEST_URI', '/', 'CONTENT_LENGTH', String(body.length)].map(sized));
  const header = Buffer.alloc(4);
  header.writeUInt16LE(variables.length, 1);
  return Buffer.concat([header, variables, Buffer.from(body)]);
}
async function ask(method) {
  let answer = '';
  client = connect({ path, transport: 'js' });
  client.on('error', () => undefined).on('data', (data) => (answer += data.toString('latin1')));
  const gone = once(client, 'close');
  client.write(request(method));
  await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  await closed;
  // What is told a tick or two after that.
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  client.resume();
  await gone;
  return answer;
}
for (const [name, { handler, method = 'GET' }] of Object.entries(cases)) {
  log = [];
  handle = new Function('note', 'fail', 'BIG', 'HUGE', 'getClient', 'req', 'res', 'const client = getClient();' + handler).bind(undefined, note, fail, BIG, HUGE, () => client);
  await ask(method);
  handle = undefined;
  say([name, log, (await ask('GET')).endsWith('fine')]);
}
server.close();
`;

type Outcomes = Record<string, { log: string[]; goesOn: boolean }>;

async function outcomesOf(subject: SubjectName): Promise<Outcomes> {
  // node:http would wait for ever where it has lost the end of an answer.
  const mine = Object.entries(cases).filter(([, { expected }]) => subject !== 'node:net' || expected === undefined);
  const result = await runChild(subject, PROGRAM, [library, socketPath(), JSON.stringify(Object.fromEntries(mine))]);
  expect(result).toMatchObject({ code: 0, signal: null, stderr: '' });
  const said = result.said as [string, string[], boolean][];
  expect(said.map(([name]) => name)).toEqual(mine.map(([name]) => name));
  return Object.fromEntries(said.map(([name, log, goesOn]) => [name, { log, goesOn }]));
}

describe('what throws, in a process that goes on', () => {
  let reference: Outcomes = {};
  beforeAll(async () => {
    reference = await outcomesOf('node:net');
  });

  it.each(subjects.filter(({ name }) => name !== 'node:net'))('$name', async ({ name: subject }) => {
    const outcomes = await outcomesOf(subject);
    for (const [name, { expected }] of Object.entries(cases)) {
      const { log, goesOn } = outcomes[name] ?? { log: [] };
      if (expected === undefined) expect([name, log]).toEqual([name, reference[name]?.log]);
      else expect([name, settled(log)]).toEqual([name, settled(expected)]);
      expect([name, goesOn]).toEqual([name, true]);
    }
  });
});
