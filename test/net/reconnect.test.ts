/** One Socket object that connects more than once. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { closed, connectionsOf, listen, nextTurn, pair, record } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';

const EVENTS = ['connect', 'ready', 'end', 'finish', 'error', 'close'];

/** What comes of a second connect() at such a moment. */
async function connectTwice(by: Subject, family: Family, moment: 'connected' | 'connecting'): Promise<unknown> {
  const server = reference.createServer({}, (socket) => socket.on('error', () => undefined).write('hello'));
  const address = await listen(server, family);
  const socket = by.socket();
  const told = record(socket, EVENTS);
  let fields: unknown;
  socket.on('error', ({ code, syscall, address: where }: NodeJS.ErrnoException & { address?: string }) => {
    fields = { code, syscall, where: where === (address.path ?? address.host) };
  });
  const connect = (): Socket =>
    address.path === undefined ? socket.connect(address.port ?? 0, address.host ?? '') : socket.connect(address.path);
  connect();
  if (moment === 'connected') await once(socket, 'data');
  connect();
  const second = [socket.connecting, socket.readyState];
  await new Promise((resolve) => {
    socket.on('close', resolve);
    if (moment === 'connected' && family === 'tcp') socket.on('ready', resolve);
  });
  await nextTurn();
  const connections = await connectionsOf(server);
  socket.destroy();
  return { told: [...told], fields, second, connections };
}

describe.each(everyWay)('a socket that connects again: $name over $family', ({ subject, family }) => {
  it.each(['connected', 'connecting'] as const)('while it is %s is answered as by node:net', async (moment) => {
    expect(await connectTwice(subject, family, moment)).toEqual(await connectTwice(reference, family, moment));
  });

  it.runIf(process.platform === 'linux')('loses no descriptor by it', async () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    await connectTwice(subject, family, 'connected');
    await nextTurn();
    const before = count();
    for (let i = 0; i < 5; i++) await connectTwice(subject, family, 'connected');
    await nextTurn();
    // The listeners are closed at the end of the test.
    expect(count() - before).toBe(5);
  });

  it.runIf(family === 'tcp')('resets only the connection that was to be reset', async () => {
    const { client, peer: first, server, address } = await pair(subject, family);
    first.on('error', () => undefined);
    const peers: string[] = [];
    const watch = (peer: Socket): void => {
      record(peer.resume(), ['end', 'error'], peers);
    };
    server.on('connection', watch);
    client.resetAndDestroy();
    await closed(client);
    client.connect(address.port ?? 0, address.host ?? '');
    const [[peer]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown];
    client.destroy();
    await closed(peer);
    expect(peers).toEqual(['end']);
  });

  it('sends its end, after a destroySoon() on the connection before', async () => {
    const { client, server, address } = await pair(subject, family, {
      server: { allowHalfOpen: true },
      client: { allowHalfOpen: true },
    });
    const over = closed(client);
    client.destroySoon();
    await over;
    if (address.path === undefined) client.connect(address.port ?? 0, address.host ?? '');
    else client.connect(address.path);
    const [[peer]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown];
    peer.resume();
    client.resume().end('question');
    await once(peer, 'end');
    peer.end();
    await closed(client);
  });
});
