/** Ends of channel servers, and what keeps a process alive. */
import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ChannelServer, type Channel, type ListenTarget } from 'nearwire/channel';
import { childResult, runChild, startChild, heard } from '../support/children.js';
import { channelWays, listenChannels, readNow, withNetPeers, type ChannelTransport } from '../support/channels.js';
import { cleanup, freshAddress, nextTurn, readAll } from '../support/sockets.js';
import type { Family } from '../support/subjects.js';

const library = new URL('../../dist/bundle/channel.js', import.meta.url).href;

/** A program with a server, a channel to it and the accepted one: `both` is called once both are there. */
function program(transport: ChannelTransport, family: Family, both: string, early = ''): string {
  const target = JSON.stringify({ ...freshAddress(family), transport });
  return `
    const { Channel, ChannelServer } = await import(${JSON.stringify(library)});
    const transport = ${JSON.stringify(transport)};
    let accepted, client, received = '';
    const isThere = { accepted: false, client: false };
    const server = ChannelServer.listen(${target}, {
      onConnection(channel) { accepted = channel; there('accepted'); },
      onListening() {
        const at = server.address();
        const to = typeof at === 'string' ? { path: at } : { host: at.address, port: at.port };
        client = Channel.connect({ ...to, transport }, {
          onConnect() { there('client'); },
          onData(_, data, start, end) { received += data.toString('latin1', start, end); },
        });
        ${early}
      },
    });
    function there(which) {
      isThere[which] = true;
      if (isThere.accepted && isThere.client) both();
    }
    function both() { ${both} }
    process.on('exit', () => say({ received, open: [client.closed, accepted.closed] }));
  `;
}

describe.each(channelWays)('a server of $transport channels over $family', ({ transport, family }) => {
  it('leaves its connections open when it closes', async () => {
    const closed: ChannelServer[] = [];
    const { peers } = await withNetPeers(2, transport, family, { onServerClose: (server) => closed.push(server) });
    const { server, address } = await listenChannels(transport, family, {
      onServerClose: (which) => closed.push(which),
    });
    server.close();
    server.close();
    expect(server.address()).toBeNull();
    while (closed.length === 0) await nextTurn();
    await nextTurn();
    expect(closed).toEqual([server]);
    const late = connect(address as NetConnectOpts);
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    expect(['ENOENT', 'ECONNREFUSED']).toContain(error.code);
    for (const { channel } of peers) expect(channel.closed).toBe(false);
  });

  it('closes all its connections, and nobody else its', async () => {
    const closed: boolean[] = [];
    const others = await withNetPeers(1, transport, family, {});
    const { peers, server } = await withNetPeers(3, transport, family, {
      onClose: (_, hadError) => closed.push(hadError),
    });
    for (const { channel } of peers) channel.write('last words');
    server.closeAllConnections();
    server.closeAllConnections();
    for (const { channel } of peers) expect(channel.closed).toBe(true);
    for (const { peer } of peers) expect((await readAll(peer.resume())).toString()).toBe('last words');
    while (closed.length < 3) await nextTurn();
    expect(closed).toEqual([false, false, false]);
    expect(others.peers[0]?.channel.closed).toBe(false);
  });

  it('may close all from a handler of one, and goes on listening', async () => {
    const calls: string[] = [];
    let accepted = 0;
    const { server, address } = await listenChannels(transport, family, {
      onConnection: () => accepted++,
      onData() {
        calls.push('onData');
        server.closeAllConnections();
      },
      onClose: () => calls.push('onClose'),
    });
    const open = async (count: number): Promise<ReturnType<typeof connect>> => {
      const socket = connect(address as NetConnectOpts);
      socket.on('error', () => undefined);
      cleanup(() => socket.destroy());
      while (accepted < count) await nextTurn();
      return socket;
    };
    const sockets = [await open(1), await open(2)];
    for (const socket of sockets) socket.write('x');
    while (calls.filter((call) => call === 'onClose').length < 2) await nextTurn();
    expect(calls).toEqual(['onData', 'onClose', 'onClose']);
    await open(3);
    server.closeAllConnections();
  });

  it('is disposed of once it has told so, whatever its state', async () => {
    const calls: string[] = [];
    const target = { ...freshAddress(family), transport } as ListenTarget;
    const server = ChannelServer.listen(target, {
      onListening: () => calls.push('onListening'),
      onServerClose: () => calls.push('onServerClose'),
    });
    // It does not listen yet.
    await server[Symbol.asyncDispose]();
    expect(calls).toEqual(['onServerClose']);
    expect(server.address()).toBeNull();
    await server[Symbol.asyncDispose]();
    server.ref().unref().close();
    server.closeAllConnections();
    await nextTurn();
    expect(calls).toEqual(['onServerClose']);
  });

  it('is disposed of where it could not listen', async () => {
    const { address } = await listenChannels(transport, family, {});
    const codes: unknown[] = [];
    const server = ChannelServer.listen({ ...address, transport } as ListenTarget, {
      onServerError: (_, { code }) => codes.push(code),
      onServerClose: () => codes.push('onServerClose'),
    });
    await server[Symbol.asyncDispose]();
    expect(codes).toEqual(['EADDRINUSE']);
  });

  it('keeps no process alive once it and its channels are unref()ed', async () => {
    const both = 'server.unref(); accepted.unref(); client.ref().unref();';
    expect(await runChild(transport, program(transport, family, both))).toMatchObject({
      code: 0,
      said: [{ received: '', open: [false, false] }],
    });
  });

  it('keeps no process alive where a channel was unref()ed before it was connected', async () => {
    const code = program(transport, family, 'server.unref(); accepted.unref();', 'client.unref();');
    expect(await runChild(transport, code)).toMatchObject({ code: 0, said: [{ open: [false, false] }] });
  });

  it('keeps no process alive by timeouts', async () => {
    const both = 'for (const one of [client, accepted]) one.setTimeout(3_600_000).unref(); server.unref();';
    expect(await runChild(transport, program(transport, family, both))).toMatchObject({ code: 0 });
  });

  it.each(['server', 'client', 'accepted'])('keeps a process alive by the %s alone', async (which) => {
    const rest = ['server', 'client', 'accepted'].filter((one) => one !== which);
    const both = `
      ${which}.unref().ref();
      ${rest.map((one) => `${one}.unref();`).join(' ')}
      process.stdin.on('data', () => {
        accepted.write('asked');
        const close = () => {
          if (received !== 'asked') return setImmediate(close);
          server.close(); client.destroy(); accepted.destroy(); process.stdin.destroy();
        };
        close();
      }).unref();
      say('ready');
    `;
    const child = startChild(transport, program(transport, family, both));
    expect(await heard(child)).toBe('ready');
    for (let i = 0; i < 5; i++) await nextTurn();
    child.stdin?.write('go on');
    const { code, said } = await childResult(child);
    expect({ code, said }).toMatchObject({ code: 0, said: [{ received: 'asked' }] });
  });

  it('keeps its channels through a collection of garbage', async () => {
    let received = '';
    const { peers } = await withNetPeers(1, transport, family, {
      onData(channel: Channel, data, start, end) {
        received += data.toString('latin1', start, end);
        channel.write('answer');
      },
    });
    const peer = peers.pop()?.peer;
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.();
      await nextTurn();
    }
    peer?.write('question');
    while (received === '') await nextTurn();
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(peer === undefined ? '' : readNow(peer).toString()).toBe('answer');
  });
});
