/**
 * Connections as standard streams of a child, in the 'connection' listener and without `pauseOnConnect`. Each test is a
 * program with a client in a thread, which has connected and written before the server accepts: what it says is compared
 * with node's.
 */
import { describe, expect, it } from 'vitest';
import { runChild } from '../support/children.js';
import { temporaryDirectory } from '../support/sockets.js';
import { everyWay, families, native, reference, subjects, type Family, type Subject } from '../support/subjects.js';

const library = new URL('../../dist/bundle/index.js', import.meta.url).href;

const CLIENT = `
const { connect } = require('node:net');
const { workerData: { at, written }, parentPort } = require('node:worker_threads');
const ready = () => { Atomics.store(written, 0, 1); Atomics.notify(written, 0); };
const say = (value) => parentPort.postMessage(value);
const socket = connect({ ...at, allowHalfOpen: true });
let text = '';
socket.on('data', (chunk) => (text += chunk));
socket.on('end', () => { say(text); socket.destroy(); });
socket.on('error', ({ code }) => say(code));
`;

/** `serve(listener, client, options)`: what the client says once it has connected and written, in the order of messages. */
const PROGRAM = `
import { fork, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
if (process.env.SUBJECT !== 'node:net') (await import(${JSON.stringify(library)})).install();
const [directory, family] = process.argv.slice(-2);
const text = async (stream) => {
  let all = '';
  stream.on('data', (chunk) => (all += chunk)).resume();
  await once(stream, 'end');
  return all;
};
async function serve(listener, code, options = {}) {
  const server = createServer(options, (socket) => { server.close(); socket.on('error', () => undefined); listener(socket); });
  server.listen(family === 'tcp' ? { port: 0, host: '127.0.0.1' } : { path: directory + '/a.sock' });
  await once(server, 'listening');
  const at = family === 'tcp' ? { port: server.address().port, host: '127.0.0.1' } : { path: server.address() };
  const written = new Int32Array(new SharedArrayBuffer(4));
  const client = new Worker(${JSON.stringify(CLIENT)} + code, { eval: true, execArgv: [], workerData: { at, written } });
  Atomics.wait(written, 0, 0);
  return client;
}
const heard = async (client) => (await once(client, 'message'))[0];
`;

/** What the program says on this subject. */
async function said(subject: Subject, family: Family, code: string): Promise<unknown[]> {
  const words = [temporaryDirectory(), family];
  const { code: exit, said: values, stderr } = await runChild(subject.name, PROGRAM + code, words);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  // Whether a child's exit or its client's end is seen first is nobody's to say.
  return values.map((value) => JSON.stringify(value)).sort();
}

/** A program of its own in a file, whose standard input is a connection that it reads and writes. */
const DUPLEX = JSON.stringify(`
  const socket = new (require('node:net').Socket)({ fd: 0, allowHalfOpen: true });
  let heard = '';
  socket.on('data', (chunk) => (heard += chunk));
`);

const programs: [string, string][] = [
  [
    'stdin and stdout, of a client that sends and ends at once',
    `const client = await serve((socket) => {
       const seen = [];
       const cat = spawn('cat', { stdio: [socket, socket, 'inherit'] });
       for (const name of ['data', 'end', 'finish']) socket.on(name, () => seen.push(name));
       cat.on('exit', (code) => { say([code, ...seen]); socket.destroy(); });
     }, "socket.end('through cat', ready);");
     say(await heard(client));`,
  ],
  [
    'the same of a server with allowHalfOpen',
    `const client = await serve((socket) => {
       const cat = spawn('cat', { stdio: [socket, socket, 'inherit'] });
       cat.on('exit', () => socket.destroy());
     }, "socket.end('through cat', ready);", { allowHalfOpen: true });
     say(await heard(client));`,
  ],
  [
    'the same when all three are the connection',
    `const client = await serve((socket) => {
       const child = spawn('sh', ['-c', 'cat; echo from stderr >&2'], { stdio: [socket, socket, socket] });
       child.on('exit', () => socket.destroy());
     }, "socket.end('hello, ', ready);");
     say(await heard(client));`,
  ],
  [
    'a client that goes on when the child has answered',
    `const client = await serve((socket) => {
       const cat = spawn('cat', { stdio: [socket, socket, 'inherit'] });
       cat.on('exit', () => socket.destroy());
     }, "socket.write('first, ', ready); socket.once('data', () => socket.end('second'));");
     say(await heard(client));`,
  ],
  [
    'the sender destroys its own at once, and the child goes on',
    `const client = await serve((socket) => {
       spawn('cat', { stdio: [socket, socket, 'inherit'] });
       socket.destroy();
     }, "socket.write('first, ', ready); socket.once('data', () => socket.end('second'));");
     say(await heard(client));`,
  ],
  [
    'a MiB each way',
    `const client = await serve((socket) => {
       const cat = spawn('cat', { stdio: [socket, socket, 'inherit'] });
       cat.on('exit', (code) => { say(code); socket.destroy(); });
     }, "const body = 'abcdefgh'.repeat(2 ** 17); socket.write(body.slice(0, 1000), ready); socket.end(body.slice(1000));" +
        "socket.removeAllListeners('end').on('end', () => say([text.length, text === body]));");
     say(await heard(client));`,
  ],
  [
    'stdin alone',
    `const client = await serve(async (socket) => {
       const cat = spawn('cat', { stdio: [socket, 'pipe', 'inherit'] });
       say(await text(cat.stdout));
       socket.end('done');
     }, "socket.write('first, ', ready); setImmediate(() => socket.end('second'));");
     say(await heard(client));`,
  ],
  [
    'stdin alone, which the child writes to and ends, and lives on',
    `const client = await serve((socket) => {
       const child = spawn(process.execPath, ['-e', ${DUPLEX} + "socket.once('data', () => socket.end('from the child')); socket.on('end', () => process.exit(heard.length));"],
         { stdio: [socket, 'inherit', 'inherit'] });
       child.on('exit', (code) => { say(code); socket.destroy(); });
     }, "socket.removeAllListeners('end').on('end', () => { say(text); socket.end('67'); }); socket.write('12345', ready);");
     const exits = new Promise((resolve) => client.once('exit', resolve));
     say(await heard(client));
     await exits;`,
  ],
  [
    'stdout alone: what has come stays the sender’s',
    `const client = await serve(async (socket) => {
       const cat = spawn('cat', { stdio: ['pipe', socket, 'inherit'] });
       cat.on('exit', (code) => { say(code); socket.destroy(); });
       say(await text(socket));
       cat.stdin.end('answer '.repeat(2 ** 18));
     }, "socket.removeAllListeners('data').end('question', ready); let length = 0;" +
        "socket.on('end', () => say(length)).on('data', (chunk) => { length += chunk.length; socket.pause(); setImmediate(() => socket.resume()); });", { allowHalfOpen: true });
     await new Promise((resolve) => client.on('message', (value) => { if (typeof value === 'number') { say(value); resolve(); } }));`,
  ],
  [
    'a child that exits early, behind which the sender writes',
    `const client = await serve((socket) => {
       const child = spawn('head', ['-c', '5'], { stdio: [socket, socket, 'inherit'] });
       child.on('exit', (code) => { say(code); socket.end(', and the sender'); });
     }, "socket.write('child and more', ready);");
     say(await heard(client));`,
  ],
  [
    'a child that closes its stdin, and writes then',
    `const client = await serve((socket) => {
       const child = spawn('sh', ['-c', 'exec 0<&-; sleep 0.2; echo written'], { stdio: [socket, socket, 'inherit'] });
       child.on('exit', (code) => { say(code); socket.end('late'); });
     }, "socket.write('unread', ready);");
     say((await heard(client)).replace('ECONNRESET', 'written\\nlate'));`,
  ],
  [
    'what the sender has written goes before what the child writes',
    `const client = await serve((socket) => {
       socket.write('one, ');
       socket.write('two, ');
       const cat = spawn('cat', { stdio: [socket, socket, 'inherit'] });
       cat.on('exit', () => socket.end(', four'));
     }, "socket.end('three', ready);", { allowHalfOpen: true });
     say(await heard(client));`,
  ],
  [
    'a client that is gone already',
    `const client = await serve((socket) => {
       const cat = spawn('cat', { stdio: [socket, 'pipe', 'ignore'] });
       let all = '';
       cat.stdout.on('data', (chunk) => (all += chunk));
       cat.on('close', (code) => { say([all, code]); socket.destroy(); });
     }, "socket.on('close', ready); socket.write('last words', () => socket.destroy());");
     await once(client, 'exit');`,
  ],
  [
    'a client that goes away while the child reads',
    `const client = await serve((socket) => {
       const cat = spawn('cat', { stdio: [socket, socket, 'ignore'] });
       cat.on('exit', () => { say('it is over'); socket.destroy(); });
     }, "socket.write('first', ready); socket.once('data', () => socket.remoteAddress ? socket.resetAndDestroy() : socket.destroy());");
     await once(client, 'exit');`,
  ],
  [
    'a program that is not there: what has come stays the sender’s',
    `const client = await serve((socket) => {
       const child = spawn('/no/such/program', { stdio: [socket, socket, 'inherit'] });
       child.on('error', async ({ code }) => { say(code); socket.end('sorry for ' + await text(socket)); });
     }, "socket.end('this', ready);", { allowHalfOpen: true });
     say(await heard(client));`,
  ],
  [
    'destroySoon() by the sender ends the connection, though the child has it',
    `let child;
     const client = await serve((socket) => {
       child = spawn('sleep', ['60'], { stdio: ['ignore', socket, 'inherit'] });
       socket.write('x');
       socket.destroySoon();
     }, "ready();");
     say(await heard(client));
     child.kill();`,
  ],
  [
    'a forked child',
    `writeFileSync(directory + '/child.cjs', ${DUPLEX} +
       "socket.on('end', () => socket.end('heard ' + heard, () => process.disconnect()));");
     const client = await serve((socket) => {
       const child = fork(directory + '/child.cjs', { execArgv: [], stdio: [socket, 'inherit', 'inherit', 'ipc'] });
       child.on('exit', (code) => { say(code); socket.destroy(); });
     }, "socket.end('all of it', ready);");
     say(await heard(client));`,
  ],
];

describe.each(everyWay.filter(({ subject }) => subject !== reference))(
  'a connection given to a child: $name over $family',
  ({ subject, family }) => {
    it.each(programs)('%s', async (_, code) => {
      const [expected, actual] = await Promise.all([said(reference, family, code), said(subject, family, code)]);
      expect(actual).toEqual(expected);
      expect(actual.length).toBeGreaterThan(0);
    });
  },
);

describe.runIf(subjects.includes(native)).each(families)('given to a child by a native server over %s', (family) => {
  it('leaves nothing open', async () => {
    const code = `
      const { readlinkSync, readdirSync } = await import('node:fs');
      const isSocket = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; } };
      const open = () => readdirSync('/proc/self/fd').filter(isSocket).length;
      let before;
      let after;
      const client = await serve((socket) => {
        before = open();
        const cat = spawn('cat', { stdio: [socket, socket, 'inherit'] });
        say(open() > before);
        cat.on('exit', () => socket.destroy());
      }, "socket.end('through cat', ready);");
      const exits = once(client, 'exit');
      say(await heard(client));
      await exits;
      say(open() < before);`;
    expect(await said(native, family, code)).toEqual(['"through cat"', 'true', 'true']);
  });

  it('in a worker thread', async () => {
    const inside = `
      import { once } from 'node:events';
      const { createServer } = await import(${JSON.stringify(library)});
      const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
      ${PROGRAM}
      const client = await serve((socket) => {
        const cat = spawn('cat', { stdio: [socket, socket, 'inherit'] });
        cat.on('exit', () => socket.destroy());
      }, "socket.end('through cat', ready);");
      say(await heard(client));`;
    expect(
      await said(native, family, `new Worker(${JSON.stringify(inside)}, { eval: true, argv: [directory, family] });`),
    ).toEqual(['"through cat"']);
  });

  it('the sender’s writes do not wait for a client that does not read', async () => {
    // A paused socket does not keep the client's thread running, which would end and reset the connection: its port does.
    const client = `
      parentPort.on('message', () => undefined);
      socket.removeAllListeners('data').once('data', () => socket.pause().write('go'));
      socket.once('connect', ready);`;
    const code = `
      const client = await serve((socket) => {
        const child = spawn('cat', { stdio: ['pipe', socket, 'inherit'] });
        // The child has made its standard streams blocking once it has written to one, which makes the client answer.
        child.stdin.write('x');
        socket.once('data', () => {
          socket.write(Buffer.alloc(2 ** 24, 'y'));
          say('still here');
          setTimeout(() => { say('and here'); child.kill(); socket.destroy(); client.terminate(); });
        });
        socket.resume();
      }, ${JSON.stringify(client)});
      await once(client, 'exit');`;
    expect(await said(native, family, code)).toEqual(['"and here"', '"still here"']);
  });
});
