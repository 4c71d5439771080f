/**
 * What nearwire's HTTP engine does beyond what node does, and where it leaves to node: framing that a handler gets wrong,
 * files, replaced methods, applications with prototypes of their own.
 */
import assert from 'node:assert';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs/promises';
import * as http from 'node:http';
import * as net from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createServer, receiveFile, sendFile } from 'nearwire/http';
import { runChild } from '../support/children.js';
import { rawRequest } from '../support/http.js';
import { closed, listen, readUntilClosed, temporaryDirectory } from '../support/sockets.js';
import { reference, subjects } from '../support/subjects.js';
import { GET, LAST, post } from './engine-requests.js';

const LENGTHS: Record<string, http.RequestListener> = {
  'too short, at once': (_, response) => response.writeHead(200, { 'Content-Length': 10 }).end('short'),
  'too long, at once': (_, response) => response.writeHead(200, { 'Content-Length': 2 }).end('longer'),
  'too short, in pieces': (_, response) => {
    response.setHeader('Content-Length', 10);
    response.write('short');
    response.end();
  },
  'too long, in pieces': (_, response) => {
    response.setHeader('Content-Length', 2);
    response.write('longer');
    setImmediate(() => response.end('still'));
  },
};

const natives = subjects.filter(({ name }) => name === 'native');

describe.each(natives)('beyond node: $name', (subject) => {
  it.each(Object.entries(LENGTHS))('a body that is %s ends its connection', async (_, listener) => {
    const address = await listen(subject.http.createServer({}, listener), 'unix');
    const client = net.connect(address as net.NetConnectOpts);
    client.write(GET);
    // node:http keeps it, and what follows is taken for another message.
    expect(String(await readUntilClosed(client)).split('HTTP/1.1')).toHaveLength(2);
  });

  it.each([
    [
      'a HEAD',
      GET.replace('GET', 'HEAD'),
      (_: unknown, response: http.ServerResponse) => response.writeHead(200, { 'Content-Length': 10 }).end(),
    ],
    [
      'hints before it',
      GET,
      (_: unknown, response: http.ServerResponse) => {
        response.writeEarlyHints({ link: '</style.css>; rel=preload' });
        response.writeHead(200, { 'Content-Length': 4 }).end('text');
      },
    ],
  ] as const)('a length that is right for %s does not', async (_name, text, listener) => {
    const address = await listen(subject.http.createServer({}, listener), 'unix');
    const answers = await rawRequest(reference, address, text + LAST);
    expect(answers.split('200 OK')).toHaveLength(3);
  });

  it.each<[string, http.RequestListener]>([
    ['a string', (_, response) => response.end('text')],
    ['a long string', (_, response) => response.end('text'.repeat(20_000))],
    ['bytes', (_, response) => response.end(Buffer.from('text'))],
    ['many bytes', (_, response) => response.end(Buffer.alloc(100_000))],
    [
      'pieces',
      (_, response) => {
        response.writeHead(200, { 'Content-Length': 100_004 });
        response.write('text');
        response.end(Buffer.alloc(100_000));
      },
    ],
    [
      'a chunk',
      (_, response) => {
        response.write(Buffer.alloc(60_000));
        response.end();
      },
    ],
  ])('a response of %s leaves with one system call, whenever it is written', async (_, respond) => {
    const immediately = (call: () => void): void => {
      call();
    };
    for (const later of [immediately, setImmediate, process.nextTick]) {
      const server = createServer({ transport: 'native' }, (request, response) => {
        later(() => {
          respond(request, response);
        });
      });
      const address = await listen(server, 'unix');
      await rawRequest(reference, address, LAST);
      expect(server.stats().sends).toBe(1);
    }
  });

  it('is turned off by an option, and by a variable', async () => {
    const kinds: string[] = [];
    const listener: http.RequestListener = (request, response) => {
      kinds.push(typeof Object.getOwnPropertyDescriptor(request.socket, 'parser'));
      response.end();
    };
    for (const engine of ['node', 'nearwire'] as const) {
      const server = createServer({ engine, transport: 'native' }, listener);
      await rawRequest(reference, await listen(server, 'unix'), LAST);
    }
    // A parser of node's is an own property of its socket.
    expect(kinds).toEqual(['object', 'undefined']);
    expect(() => createServer({ engine: 'other' as 'node' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
    for (const [value, expected] of [
      ['node', 'object'],
      ['nearwire', 'undefined'],
    ]) {
      const code = `
        process.env.NEARWIRE_HTTP = '${String(value)}';
        const nearwire = await import('nearwire/http');
        const http = await import('node:http');
        const server = nearwire.createServer({ transport: 'native' }, (request, response) => {
          say(typeof Object.getOwnPropertyDescriptor(request.socket, 'parser'));
          response.end();
        });
        server.listen({ path: '/tmp/nearwire-' + process.pid + '.sock' }, () => {
          http.get({ socketPath: server.address(), headers: { connection: 'close' } }, (answer) => answer.resume().on('end', () => server.close()));
        });`;
      expect((await runChild('native', code)).said).toEqual([expected]);
    }
  });

  it('waits for keepAliveTimeout as long as node does', async () => {
    const waited: number[] = [];
    for (const { http: of } of [reference, subject]) {
      const server = of.createServer({ keepAliveTimeout: 1 }, (_, response) => response.end());
      const client = net.connect((await listen(server, 'unix')) as net.NetConnectOpts);
      client.write(GET);
      await once(client, 'data');
      const began = performance.now();
      await closed(client.resume());
      waited.push(performance.now() - began);
    }
    const [nodes = NaN, ours = NaN] = waited;
    // Timers are early by a millisecond at most, and late by any time.
    expect(Math.floor(ours / 500)).toBeGreaterThanOrEqual(Math.floor((nodes - 400) / 500));
  });

  it('does not show the bytes of others in a failing assertion', async () => {
    const message = await new Promise<string>((resolve) => {
      const server = subject.http.createServer({}, (request, response) => {
        response.end();
        try {
          assert.deepStrictEqual(request, {});
        } catch (error) {
          resolve((error as Error).message);
        }
      });
      void listen(server, 'unix').then((address) => rawRequest(reference, address, LAST));
    });
    expect(message).not.toMatch(/\b(?:inbox|arena|lentMemory|connections):/);
    // The engine's memory alone would be 30 MB of text.
    expect(message.length).toBeLessThan(1_000_000);
  });

  it('makes an application messages of the prototypes that it has for them', async () => {
    const seen: boolean[] = [];
    const marked = (of: object): object => Object.create(of, { mark: { value: 'mark' } }) as object;
    const application = Object.assign(
      (request: http.IncomingMessage, response: http.ServerResponse) => {
        seen.push(Object.getPrototypeOf(request) === application.request, 'mark' in response);
        Object.setPrototypeOf(request, application.request);
        Object.setPrototypeOf(response, application.response);
        response.end(String(request.headers.host) + String(request instanceof http.IncomingMessage));
      },
      { request: marked(http.IncomingMessage.prototype), response: marked(http.ServerResponse.prototype) },
    );
    const server = subject.http.createServer({}, application);
    const address = await listen(server, 'unix');
    const nodes = await listen(reference.http.createServer({}, application), 'unix');
    const [ours, expected] = [await rawRequest(reference, address, LAST), await rawRequest(reference, nodes, LAST)];
    expect(ours.split('\r\n\r\n')[1]).toBe(expected.split('\r\n\r\n')[1]);
    expect(seen.slice(0, 2)).toEqual([true, true]);
    // With a second listener, that one sees them as node makes them.
    server.prependListener('request', (request) =>
      seen.push(Object.getPrototypeOf(request) === http.IncomingMessage.prototype),
    );
    await rawRequest(reference, address, LAST);
    expect(seen.slice(4, 5)).toEqual([true]);
  });

  it('sends files, and receives small ones, without a stream', async () => {
    const folder = temporaryDirectory();
    const copied = join(folder, 'copy');
    const text = 'text of a file\n'.repeat(1000);
    await writeFile(join(folder, 'file'), text);
    const [file, copy] = await Promise.all([open(join(folder, 'file')), open(copied, 'w')]);
    const seen: unknown[] = [];
    const server = subject.http.createServer({}, (request, response) => {
      const isPost = request.method === 'POST';
      const work = isPost ? receiveFile(request, copy) : sendFile(response, file);
      void work.then((bytes) => {
        // A parser of node's is an own property of its socket.
        seen.push([bytes, Object.hasOwn(request.socket, 'parser')]);
        if (isPost) response.end();
      });
    });
    const address = await listen(server, 'unix');
    const answers = await rawRequest(reference, address, `${GET}${post(5)}hello${LAST}`);
    expect(answers.split(text)).toHaveLength(3);
    // Where a file is opened off the thread, the body is received first.
    expect(seen.map(String).sort()).toEqual(
      [
        [text.length, false],
        [5, false],
        [text.length, false],
      ]
        .map(String)
        .sort(),
    );
    expect(await readFile(copied, 'utf8')).toBe('hello');
    await Promise.all([file.close(), copy.close()]);
  });

  it.each(['before nearwire loads', 'while a server is there'])('calls what replaced a method %s', async (when) => {
    const code = `
      const http = await import('node:http');
      const calls = {};
      function replace() {
        for (const [of, name] of [['ServerResponse', 'end'], ['ServerResponse', 'writeHead'], ['Server', 'emit']]) {
          const { prototype } = http[of];
          const { [name]: original } = prototype;
          prototype[name] = function (...args) {
            if (args[0] !== undefined) calls[name] = (calls[name] ?? 0) + (name !== 'emit' || args[0] === 'request');
            return Reflect.apply(original, this, args);
          };
        }
      }
      if (${String(when.startsWith('before'))}) replace();
      const nearwire = await import('nearwire/http');
      const server = nearwire.createServer({ transport: 'native' }, (request, response) => response.end(request.url));
      await new Promise((resolve) => server.listen({ path: '/tmp/nearwire-' + process.pid + '.sock' }, resolve));
      const get = () => new Promise((resolve) => http.get({ socketPath: server.address(), agent: false }, (answer) => answer.resume().on('end', resolve)));
      if (!${String(when.startsWith('before'))}) { await get(); replace(); }
      Object.keys(calls).forEach((name) => (calls[name] = 0));
      await get();
      await get();
      say(calls);
      server.close();`;
    const { said, stderr } = await runChild('native', code);
    expect({ said, stderr }).toEqual({ said: [{ emit: 2, end: 2, writeHead: 2 }], stderr: '' });
  });
});
