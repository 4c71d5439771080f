/** What ends a process, keeps it alive, or needs two of them. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { childResult, heard, runChild, startChild } from '../support/children.js';
import { freshAddress, listen, readAll, socketPath } from '../support/sockets.js';
import { everyWay, reference, subjects, type Family } from '../support/subjects.js';

const at = (family: Family): string => JSON.stringify(freshAddress(family));

describe.each(everyWay)('processes: $name over $family', ({ subject, family, name }) => {
  it('end when all is closed', async () => {
    const result = await runChild(
      name,
      `const server = createServer((socket) => socket.pipe(socket));
       server.listen(${at(family)}, () => {
         const address = server.address();
         const client = connect(typeof address === 'string' ? { path: address } : address, () => client.end('x'));
         client.on('data', (data) => say(String(data)));
         client.on('close', () => server.close());
       });`,
    );
    expect(result).toMatchObject({ code: 0, said: ['x'], stderr: '' });
  });

  it('end although an unref()ed server and sockets are open', async () => {
    const result = await runChild(
      name,
      `const server = createServer((socket) => { socket.resume(); socket.unref(); }).unref();
       server.listen(${at(family)});
       // Nothing else holds the process until the client has connected.
       const hold = setInterval(() => undefined, 1000);
       await once(server, 'listening');
       const address = server.address();
       const client = new Socket();
       client.unref();
       client.connect(typeof address === 'string' ? { path: address } : address, () => { clearInterval(hold); say('connected'); });
       client.on('data', () => undefined);
       process.on('exit', () => say('exit'));`,
    );
    expect(result).toMatchObject({ code: 0, said: ['connected', 'exit'], stderr: '' });
  });

  it('that die in the callback of a write have sent it, written in the callback of another or not', async () => {
    const server = reference.createServer();
    const address = await listen(server, family);
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const child = startChild(
      name,
      `const client = connect(${JSON.stringify(address)}, () => {
         client.write('a', () => client.write('b', () => process.kill(process.pid, 'SIGKILL')));
       });`,
    );
    const [peer] = await accepted;
    let received = '';
    peer.on('data', (chunk: Buffer) => (received += chunk.toString()));
    peer.on('error', () => undefined);
    await Promise.all([once(peer, 'close'), once(child, 'exit')]);
    expect(received).toBe('ab');
  });

  it('go on when a socket is ref()ed again', async () => {
    const result = await runChild(
      name,
      `const server = createServer((socket) => setTimeout(() => socket.end('late'), 50).unref()).unref();
       server.listen(${at(family)});
       await new Promise((resolve) => server.once('listening', resolve));
       const address = server.address();
       const client = connect(typeof address === 'string' ? { path: address } : address);
       client.unref();
       client.ref();
       client.on('data', (data) => say(String(data)));`,
    );
    expect(result).toMatchObject({ code: 0, said: ['late'], stderr: '' });
  });

  it('are not kept alive by a socket that neither reads nor writes, nor by its timeout', async () => {
    const result = await runChild(
      name,
      `const server = createServer((socket) => { socket.unref(); }).unref();
       server.listen(${at(family)});
       const hold = setInterval(() => undefined, 1000);
       await once(server, 'listening');
       clearInterval(hold);
       const address = server.address();
       const client = connect(typeof address === 'string' ? { path: address } : address);
       client.pause();
       client.setTimeout(60000);
       await once(client, 'connect');
       say('idle');`,
    );
    expect(result).toMatchObject({ code: 0, said: ['idle'], stderr: '' });
  });

  it('survive a listener that throws, with an uncaughtException handler', async () => {
    const result = await runChild(
      name,
      `process.on('uncaughtException', (error) => say(error === null ? 'null' : error.message ?? error));
       let count = 0;
       const server = createServer((socket) => {
         socket.on('data', () => { socket.end('bye'); throw count++ === 0 ? new Error('data') : null; });
         throw new Error('connection');
       });
       server.listen(${at(family)});
       await once(server, 'listening');
       const address = server.address();
       for (let i = 0; i < 2; i++) {
         const client = connect(typeof address === 'string' ? { path: address } : address, () => client.write('x'));
         client.on('data', () => { throw new Error('answer'); });
         await once(client, 'close');
       }
       server.close();`,
    );
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    expect([...result.said].sort()).toEqual(['answer', 'answer', 'connection', 'connection', 'data', 'null']);
  });

  it('die of a listener that throws, without one', async () => {
    const result = await runChild(
      name,
      `const server = createServer((socket) => { throw new Error('thrown on purpose'); });
       server.listen(${at(family)}, () => {
         const address = server.address();
         connect(typeof address === 'string' ? { path: address } : address);
       });`,
    );
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('thrown on purpose');
  });

  it('die of an error nobody listens for', async () => {
    const result = await runChild(name, `connect({ path: '/nonexistent/a.sock' });`);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('connect ENOENT /nonexistent/a.sock');
  });

  it.each([
    'process.exit()',
    'for (const end = Date.now() + 100; Date.now() < end;); process.exit()',
    'throw new Error("on purpose")',
  ])('hand over what was written before %s', async (end) => {
    const server = subject.createServer();
    const address = await listen(server, family);
    const received = once(server, 'connection').then(([socket]) => readAll(socket as never));
    const child = startChild(
      name,
      `const client = connect(${JSON.stringify(address)}, () => {
           client.write('one ');
           client.write('two ', 'latin1');
           client.write(Buffer.from('three'));
           ${end};
         });`,
    );
    const [bytes] = await Promise.all([received, childResult(child)]);
    expect(bytes.toString()).toBe('one two three');
  });
});

describe.each(subjects)('a chat of two processes: $name', ({ name }) => {
  it('takes turns, in order, to the end', async () => {
    const path = socketPath();
    const server = startChild(
      name,
      `const server = createServer((socket) => {
         let text = '';
         socket.setEncoding('utf8');
         socket.on('data', (data) => {
           text += data;
           for (let end = text.indexOf('\\n'); end >= 0; end = text.indexOf('\\n')) {
             const line = text.slice(0, end);
             text = text.slice(end + 1);
             socket.write(line.toUpperCase() + '\\n');
           }
         });
         socket.on('end', () => server.close());
       });
       server.listen(${JSON.stringify(path)}, () => say('ready'));`,
    );
    const ended = childResult(server);
    expect(await heard(server)).toBe('ready');
    const client = await runChild(
      name,
      `const client = connect(${JSON.stringify(path)});
       client.setEncoding('utf8');
       let text = '';
       const lines = [];
       const say1 = (i) => client.write('line ' + i + ' ' + 'y'.repeat(i * 20) + '\\n');
       client.on('data', (data) => {
         text += data;
         for (let end = text.indexOf('\\n'); end >= 0; end = text.indexOf('\\n')) {
           lines.push(text.slice(0, end));
           text = text.slice(end + 1);
           if (lines.length < 500) say1(lines.length); else client.end();
         }
       });
       client.on('close', () => say([lines.length, lines.every((line, i) => line === ('line ' + i + ' ' + 'y'.repeat(i * 20)).toUpperCase())]));
       say1(0);`,
    );
    expect(client).toMatchObject({ code: 0, said: [[500, true]], stderr: '' });
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });
});
