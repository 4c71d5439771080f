/** Peers that connect and say nothing. Natively, on Linux over TCP, the kernel keeps them back for a second or so. */
import type { Server } from 'nearwire/uwsgi';
import { describe, expect, it } from 'vitest';
import { readAll } from '../support/sockets.js';
import { defersAccept, families, subjects } from '../support/subjects.js';
import { ask, open, packet, parseAnswer } from '../support/uwsgi/packets.js';
import { serveUwsgi } from '../support/uwsgi/serve.js';

const transports = subjects.flatMap(({ name }) => (name === 'node:net' ? [] : [name]));
const everyWay = transports.flatMap((transport) => families.map((family) => ({ transport, family })));

const connectionsOf = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.getConnections((error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });

describe.each(everyWay)('a silent peer of uwsgi on $transport over $family', ({ transport, family }) => {
  const isKeptBack = family === 'tcp' && defersAccept(transport);

  it('is served when it speaks', async () => {
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => res.end('hello'), family);
    const silent = await open(target);
    // It came later, and has been answered: the server has looked at its queue since.
    expect((await ask(target)).status).toBe(200);
    await expect.poll(() => connectionsOf(server)).toBe(isKeptBack ? 0 : 1);
    silent.write(packet());
    expect(parseAnswer(await readAll(silent)).body.toString()).toBe('hello');
  });

  it('is told in the end that it did not', async () => {
    const options = { transport, headersTimeout: 50, connectionsCheckingInterval: 10 } as const;
    const { target } = await serveUwsgi(options, (_req, res) => res.end(), family);
    expect(parseAnswer(await readAll(await open(target))).status).toBe(408);
  });

  it('keeps no server from closing', async () => {
    const { server, target } = await serveUwsgi({ transport }, (_req, res) => res.end(), family);
    const silent = await open(target);
    silent.on('error', () => undefined);
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    silent.destroy();
  });
});
