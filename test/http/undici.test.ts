/** undici's clients over nearwire's sockets, by its own `connect` option. */
import { once } from 'node:events';
import * as net from 'node:net';
import { Agent, Client, request } from 'undici';
import { describe, expect, it } from 'vitest';
import { createServer, undiciConnector } from 'nearwire/http';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, listen, socketPath } from '../support/sockets.js';

const TRANSPORTS = requireOrSkip('addon') === undefined ? (['js'] as const) : (['native', 'js'] as const);

describe.each(TRANSPORTS)('undici on %s', (transport) => {
  function server(): ReturnType<typeof createServer> {
    return createServer({ transport }, (incoming, response) => {
      const { socket } = incoming;
      response.end(JSON.stringify([incoming.url, (socket as net.Socket & { transport?: string }).transport]));
    });
  }

  it.each(['unix', 'tcp'] as const)('asks over %s, many at once and one after another', async (family) => {
    const address = await listen(server(), family);
    const { path, port = 80 } = address;
    const agent = new Agent({
      connections: 4,
      connect: undiciConnector({ transport, ...(path !== undefined && { path }) }),
    });
    cleanup(() => agent.destroy());
    const ask = async (url: string): Promise<unknown> => {
      const { body } = await request(`http://127.0.0.1:${String(port)}${url}`, { dispatcher: agent });
      return body.json();
    };
    const urls = Array.from({ length: 32 }, (_, i) => `/${String(i)}`);
    expect(await Promise.all(urls.map(ask))).toEqual(urls.map((url) => [url, transport]));
    expect(await ask('/last')).toEqual(['/last', transport]);
  });

  it('is told that nobody listens, and connects once somebody does', async () => {
    const path = socketPath();
    const client = new Client('http://localhost', { connect: undiciConnector({ transport, path }) });
    cleanup(() => client.destroy());
    await expect(client.request({ method: 'GET', path: '/' })).rejects.toMatchObject({ code: 'ENOENT' });
    const late = server().listen(path);
    cleanup(() => late.close());
    await once(late, 'listening');
    const { statusCode, body } = await client.request({ method: 'GET', path: '/' });
    await body.dump();
    expect(statusCode).toBe(200);
  });

  it('gives up a request that is aborted, and goes on', async () => {
    const path = socketPath();
    const silent = createServer({ transport }, (incoming, response) => {
      if (incoming.url === '/answered') response.end('yes');
    }).listen(path);
    cleanup(() => {
      silent.closeAllConnections();
      silent.close();
    });
    await once(silent, 'listening');
    const client = new Client('http://localhost', { connect: undiciConnector({ transport, path }) });
    cleanup(() => client.destroy());
    const controller = new AbortController();
    const asked = client.request({ method: 'GET', path: '/never', signal: controller.signal });
    silent.once('request', () => {
      controller.abort();
    });
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
    const { body } = await client.request({ method: 'GET', path: '/answered' });
    expect(await body.text()).toBe('yes');
  });
});

it('refuses options and protocols that make no sense', () => {
  expect(() => undiciConnector({ timeout: -1 })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  const told: unknown[] = [];
  undiciConnector()({ protocol: 'https:', hostname: 'localhost', port: '' }, (...outcome) => {
    told.push(outcome[0]);
  });
  expect(told).toEqual([expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' })]);
});
