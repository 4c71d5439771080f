/** Sockets and servers sent to other processes. Each test is a program that forks: what it says is compared with node's. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runChild } from '../support/children.js';
import { temporaryDirectory } from '../support/sockets.js';
import { everyWay, families, native, reference, subjects, type Family, type Subject } from '../support/subjects.js';

const library = new URL('../../dist/bundle/index.js', import.meta.url).href;

/** What the forked program does with what it is sent. */
const FORKED = `
import { Socket, Server } from 'node:net';
process.on('message', (message, handle) => {
  // Not from inside the listener, which node 20 has a fault in.
  if (message === 'bye') setImmediate(() => process.disconnect());
  else if (message.listen) sendWhatConnects(message.listen);
  else if (message === 'end it') kept.end('tail');
  else if (handle === undefined) process.send({ message, nothing: true });
  else if (handle instanceof Server) serve(handle);
  else if (message === 'keep') kept = handle;
  else if (message === 'tail') handle.end('tail');
  else if (message === 'drop') handle.destroy();
  else if (message === 'handle') { process.send(handle.constructor.name); handle.close(); }
  else answer(handle);
});
let kept;
function answer(socket) {
  let text = '';
  socket.on('data', (chunk) => (text += chunk));
  socket.on('end', () => socket.end('child heard ' + text));
}
async function sendWhatConnects(target) {
  const { createServer, install } = await import(${JSON.stringify(library)});
  install();
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    process.send('from ' + socket.transport, socket);
    server.close();
  });
  server.listen(target, () => process.send({ at: server.address() }));
}
function serve(server) {
  server.on('connection', (socket) => socket.end('child serves'));
  process.on('message', (message) => message === 'close' && server.close());
  process.send('serving');
}
`;

/** For the parent: `child`, `address` of a listening `server`, `client()` and what a client reads. */
const PARENT = `
import { fork, spawn } from 'node:child_process';
if (process.env.SUBJECT !== 'node:net') (await import(${JSON.stringify(library)})).install();
const [forked, path] = process.argv.slice(1);
const child = fork(forked, { execArgv: [] });
const target = path === 'tcp' ? { port: 0, host: '127.0.0.1' } : { path };
async function listening(server) {
  server.listen(target);
  await once(server, 'listening');
  return path === 'tcp' ? { port: server.address().port, host: '127.0.0.1' } : { path };
}
async function textOf(socket) {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}
const answers = (name) => once(child, 'message').then(([message]) => message);
`;

/** What the program says on this subject. */
async function said(subject: Subject, family: Family, code: string): Promise<unknown[]> {
  const directory = temporaryDirectory();
  const forked = join(directory, 'forked.mjs');
  writeFileSync(forked, FORKED);
  const words = [forked, family === 'tcp' ? 'tcp' : join(directory, 'a.sock')];
  const { code: exit, said: values, stderr } = await runChild(subject.name, PARENT + code, words);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  return values;
}

const programs: [string, string][] = [
  [
    'a connection, with all that the client sent at once',
    `const states = [];
     const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
       for (const name of ['end', 'close', 'error']) socket.on(name, () => states.push(name));
       child.send('answer', socket, (error) => states.push(error));
       states.push(socket.destroyed, socket.pending, socket.readyState);
     });
     const client = connect({ ...(await listening(server)), allowHalfOpen: true });
     client.end('hello');
     say(await textOf(client));
     say(states);
     server.close(() => say('closed'));
     child.send('bye');`,
  ],
  [
    'a connection, after which the sender can’t write',
    `const server = createServer((socket) => {
       socket.on('error', ({ code }) => say(code));
       socket.on('close', (hadError) => { say(['close', hadError]); client.destroy(); });
       child.send('keep', socket);
       socket.write('x', ({ code }) => say(['write', code]));
     });
     const client = connect(await listening(server));
     client.on('error', () => undefined);
     await once(client, 'close');
     server.close(() => say('closed'));
     child.send('bye');`,
  ],
  [
    'the connection of an HTTP request, without what HTTP hung on it',
    `const { createServer: createHttpServer } = await import('node:http');
     const web = createHttpServer((request, response) => {
       const { socket } = request;
       child.send('tail', socket);
       say([socket.parser, socket._httpMessage, response.socket]);
     });
     const server = createServer((socket) => web.emit('connection', socket));
     const client = connect(await listening(server));
     client.write('GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n');
     say(await textOf(client));
     server.close(() => say('closed'));
     child.send('bye');`,
  ],
  [
    'a connection that both keep open',
    `let counted;
     const server = createServer((socket) => {
       child.send('keep', socket, { keepOpen: true });
       say([socket.destroyed, socket.pending, socket.writable]);
       // The child is asked as well.
       counted = new Promise((resolve) => server.getConnections((error, count) => resolve([error, count > 0])));
       socket.on('end', () => socket.destroy());
       socket.write('head');
       // Of both: who comes behind it can write no more.
       child.send('end it');
     });
     // It keeps its side open until the connections have been counted.
     const client = connect({ ...(await listening(server)), allowHalfOpen: true });
     let text = '';
     client.on('data', (data) => (text += data));
     await once(client, 'end');
     say(text);
     say(await counted);
     client.end();
     server.close(() => say('closed'));
     child.send('bye');`,
  ],
  [
    'a connection that both keep open, and the sender ends by destroySoon()',
    `const server = createServer((socket) => {
       socket.write('head');
       child.send('keep', socket, { keepOpen: true }, () => socket.destroySoon());
     });
     const client = connect({ ...(await listening(server)), allowHalfOpen: true });
     say(await textOf(client));
     server.close();
     child.kill();`,
  ],
  [
    'a server, which goes on when the sender has closed it',
    `import { renameSync } from 'node:fs';
     const server = createServer((socket) => socket.end('parent serves'));
     const address = await listening(server);
     const serving = answers();
     child.send('server', server);
     say(await serving);
     // Closing removes the path.
     if (address.path) renameSync(address.path, address.path += '.moved');
     server.close();
     say(await textOf(connect(address)));
     child.send('close');
     child.send('bye');
     await once(child, 'exit');
     const refused = connect(address);
     say((await once(refused, 'error'))[0].code);`,
  ],
  [
    'the handle of a server, as it is',
    `const server = createServer();
     await listening(server);
     const reply = answers();
     child.send('handle', server._handle);
     say(await reply);
     server.close(() => say('closed'));
     child.send('bye');`,
  ],
  [
    'a socket that is not connected, as a message alone',
    `for (const socket of [new Socket(), new Socket().destroy()]) {
       const reply = answers();
       child.send('nothing', socket);
       say(await reply);
     }
     child.send('bye');`,
  ],
  [
    'wrong words, which fail as ever',
    `const server = createServer((socket) => {
       for (const words of [[undefined, socket], [() => 1, socket], ['x', socket, 'options'], ['x', {}]]) {
         try { child.send(...words); } catch ({ code }) { say(code); }
       }
       say(socket.pending);
       child.disconnect();
       child.send('late', socket, ({ code }) => { say([code, socket.pending]); socket.destroy(); server.close(); });
     });
     connect(await listening(server)).on('error', () => undefined);`,
  ],
  [
    'a connection as the standard streams of a child',
    `const server = createServer({ pauseOnConnect: true }, (socket) => {
       const cat = spawn('cat', { stdio: [socket, socket, 'ignore'] });
       socket.on('data', () => say('stolen'));
       cat.on('exit', (code) => { say(code); socket.destroy(); server.close(); });
     });
     const client = connect({ ...(await listening(server)), allowHalfOpen: true });
     client.end('through cat');
     say(await textOf(client));
     child.send('bye');`,
  ],
];

describe.each(everyWay.filter(({ subject }) => subject !== reference))(
  'sent to another process: $name over $family',
  ({ subject, family }) => {
    it.each(programs)('%s', async (_, code) => {
      const [expected, actual] = await Promise.all([said(reference, family, code), said(subject, family, code)]);
      expect(actual).toEqual(expected);
      expect(actual.length).toBeGreaterThan(0);
    });
  },
);

describe.runIf(subjects.includes(native)).each(families)('sent by a native process over %s', (family) => {
  it('what waits to be sent goes before the sender lets go', async () => {
    const code = `
      const size = 4 * 1024 * 1024;
      const server = createServer((socket) => {
        socket.write(Buffer.alloc(size, 'x'), (error) => say(['written', error ?? null]));
        say(socket.writableLength > 0);
        child.send('keep', socket);
        client.resume();
      });
      const client = connect(await listening(server));
      client.pause();
      let length = 0;
      client.on('data', (chunk) => {
        length += chunk.length;
        // An end by the one process ends what the other still has to write.
        if (length === size) child.send('end it');
      });
      await once(client, 'end');
      say(length === size + 4);
      server.close();
      child.send('bye');`;
    expect(await said(native, family, code)).toEqual([true, ['written', null], true]);
  });

  it('what waits for a peer that reads nothing keeps no process alive', async () => {
    const code = `
      const server = createServer((socket) => {
        socket.write(Buffer.alloc(16 * 1024 * 1024, 'x'));
        child.send('drop', socket);
        server.close();
      });
      const at = await listening(server);
      const client = connect(at).pause().unref();
      await Promise.all([once(client, 'connect'), once(server, 'connection')]);
      say('sent');
      child.send('bye');`;
    expect(await said(native, family, code)).toEqual(['sent']);
  });

  it('a child sends a socket to its parent', async () => {
    const code = `
      const listens = answers();
      child.send({ listen: target });
      const { at } = await listens;
      const client = connect(path === 'tcp' ? at.port : at);
      client.write('hello');
      const [message, socket] = await once(child, 'message');
      say(message);
      say(String((await once(socket, 'data'))[0]));
      socket.end('the parent answers');
      say(await textOf(client));
      child.send('bye');`;
    expect(await said(native, family, code)).toEqual(['from native', 'hello', 'the parent answers']);
  });

  it('an unchanged program that is registered', async () => {
    const register = JSON.stringify(new URL('../../dist/bundle/register.js', import.meta.url).href);
    const code = `
      const net = await import('node:net');
      process.env.NEARWIRE_TRANSPORT = '';
      process.env.NEARWIRE_TCP = '1';
      await import(${register});
      const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
        say(socket.transport);
        late.send('answer', socket);
      });
      const address = await listening(server);
      const late = fork(forked, { execArgv: [] });
      const client = net.connect({ ...address, allowHalfOpen: true });
      client.end('hello');
      say(await textOf(client));
      server.close(() => { child.send('bye'); late.send('bye'); });`;
    // The first child was forked before nearwire was there: its send() is node's own.
    expect(await said(reference, family, code)).toEqual(['native', 'child heard hello']);
  });
});
