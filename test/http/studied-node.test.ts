/** What nearwire finds out about node's servers, by servers and parsers of its own: programs see as little of it as can be. */
import { expect, test } from 'vitest';
import { runChild } from '../support/children.js';

test('a server listens and answers: no other emits anything, and few parsers are made', async () => {
  const code = `
    const http = await import('node:http');
    const { createHook } = await import('node:async_hooks');
    const emitting = new Set();
    const { emit } = http.Server.prototype;
    http.Server.prototype.emit = function (...args) {
      emitting.add(this);
      return Reflect.apply(emit, this, args);
    };
    let parsers = 0;
    createHook({ init: (_, type) => { if (type === 'HTTPINCOMINGMESSAGE') parsers++; } }).enable();
    const nearwire = await import('nearwire/http');
    const server = nearwire.createServer({ transport: 'native' }, (_, response) => response.end());
    await new Promise((resolve) => server.listen({ path: '/tmp/nearwire-' + process.pid + '.sock' }, resolve));
    const agent = new http.Agent({ keepAlive: true });
    for (let i = 0; i < 2; i++) {
      await new Promise((resolve) => {
        http.get({ socketPath: server.address(), agent }, (answer) => answer.resume().on('end', resolve));
      });
    }
    say([emitting.size, emitting.has(server), parsers]);
    agent.destroy();
    server.close();`;
  const { said, stderr } = await runChild('native', code);
  // One to see what node's server does with a connection, one to read requests; on Node 20, one for its keepAliveTimeout.
  const parsers = process.version.startsWith('v20.') ? 3 : 2;
  expect({ said, stderr }).toEqual({ said: [[1, true, parsers]], stderr: '' });
});
