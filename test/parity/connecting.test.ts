/** How sockets come to be connected, or not, and their timeouts: the record of events is node:net's in the same run. */
import * as diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as net from 'node:net';
import type { LookupFunction, Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConnectOptions } from 'nearwire';
import { cleanup, closed, nextTurn } from '../support/sockets.js';
import { compare, FRESH, type Scenario, type Stage } from '../support/stage.js';
import { everyWay, hasIPv6, reference, subjects, type Subject } from '../support/subjects.js';

/** Nothing listens there: ports below 1024 that no service has. */
const DEAF_PORT = 1;

function found(...list: { address: string; family: number }[]): LookupFunction {
  return (_host, options, callback) => {
    process.nextTick(() => {
      if (options.all) callback(null, list);
      else callback(null, list[0]?.address ?? '', list[0]?.family);
    });
  };
}
const failing: LookupFunction = (_host, _options, callback) => {
  process.nextTick(() => {
    callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '');
  });
};
const V4 = { address: '127.0.0.1', family: 4 };
const V6 = { address: '::1', family: 6 };

/** Tries to connect, which fails, with a write and an end that wait. */
function failingTo(options: (stage: Stage) => ConnectOptions): Scenario {
  return async (stage) => {
    const client = stage.within('connect', () =>
      stage.connect(options(stage), 'client', stage.callback('client', 'connected')),
    );
    stage.within('write', () => {
      stage.try(client, 'write', () => client.write('x', stage.callback(client, 'write callback')));
      client.end(stage.callback(client, 'end callback'));
    });
    await closed(client);
  };
}

const failures: Record<string, Scenario> = {
  'a missing path': failingTo((stage) => ({ path: join(stage.directory, 'none.sock') })),
  'a missing directory': failingTo((stage) => ({ path: join(stage.directory, 'none', 'a.sock') })),
  'a directory': failingTo((stage) => ({ path: stage.directory })),
  'a file': failingTo((stage) => {
    writeFileSync(join(stage.directory, 'file'), '');
    return { path: join(stage.directory, 'file') };
  }),
  'a file as directory': failingTo((stage) => {
    mkdirSync(join(stage.directory, 'sub'));
    writeFileSync(join(stage.directory, 'sub', 'file'), '');
    return { path: join(stage.directory, 'sub', 'file', 'a.sock') };
  }),
  'a refused port': failingTo(() => ({ port: DEAF_PORT, host: '127.0.0.1' })),
  'a refused port, and a timeout': failingTo(() => ({ port: DEAF_PORT, host: '127.0.0.1', timeout: 5000 })),
  'a refused port from a local end': failingTo(() => ({
    port: DEAF_PORT,
    host: '127.0.0.1',
    localAddress: '127.0.0.1',
  })),
  'a local end that is not ours': failingTo(() => ({ port: DEAF_PORT, host: '127.0.0.1', localAddress: '192.0.2.1' })),
  'a name that is not found': failingTo(() => ({ port: DEAF_PORT, host: 'name', lookup: failing })),
  'a name that is not found, of one family': failingTo(() => ({
    port: DEAF_PORT,
    host: 'name',
    family: 4,
    lookup: failing,
  })),
  'one address that refuses': failingTo(() => ({ port: DEAF_PORT, host: 'name', lookup: found(V4) })),
  // Without end(): the second attempt makes node forget it.
  'two addresses that refuse': async (stage) => {
    const client = stage.connect({ port: DEAF_PORT, host: 'name', lookup: found(V6, V4) });
    client.write('x', stage.callback(client, 'write callback'));
    await closed(client);
  },
  'one family that refuses': failingTo(() => ({ port: DEAF_PORT, host: 'name', family: 4, lookup: found(V4) })),
  'an address that is none': failingTo(() => ({
    port: DEAF_PORT,
    host: 'name',
    lookup: found({ address: 'nowhere', family: 4 }),
  })),
  'no automatic family': failingTo(() => ({
    port: DEAF_PORT,
    host: 'name',
    autoSelectFamily: false,
    lookup: found(V4),
  })),
};

const scenarios: Record<string, Scenario> = {
  'a listener given to connect()': async (stage) => {
    const server = stage.server().on('connection', (peer: Socket) => peer.end('hi'));
    const address = await stage.listen(server);
    const client = stage.within('connect', () =>
      stage.connect(address, 'client', stage.callback('listener', 'connected')),
    );
    stage.note(client, 'connecting');
    client.resume();
    await closed(client);
  },
  'new Socket(), then connect()': async (stage) => {
    const server = stage.server().on('connection', (peer: Socket) => peer.end('hi'));
    const address = await stage.listen(server);
    const client = stage.socket('client', stage.subject.socket());
    stage.note(client, 'made');
    stage.within('connect', () => {
      stage.try(client, 'connect', () =>
        client.connect(address as { path: string }, stage.callback(client, 'connected')),
      );
    });
    client.resume();
    await closed(client);
  },
  'connect() again after the end': async (stage) => {
    const server = stage.server().on('connection', (peer: Socket) => peer.resume().end('hi'));
    const address = await stage.listen(server);
    const client = stage.socket('client', stage.subject.socket());
    for (let round = 0; round < 3; round++) {
      const over = closed(client);
      client.connect(address as { path: string }, stage.callback(client, `connected ${String(round)}`));
      client.resume();
      client.write('x', stage.callback(client, 'write callback'));
      await over;
      await nextTurn();
    }
  },
  'connect() inside close': async (stage) => {
    const server = stage.server().on('connection', (peer: Socket) => peer.end('hi'));
    const address = await stage.listen(server);
    const client = stage.connect(address);
    client.resume();
    await new Promise((resolve) => {
      client.once('close', () => {
        client.connect(address as { path: string });
        client.resume();
        client.once('close', resolve);
      });
    });
  },
  'connect() again after a failure': async (stage) => {
    const server = stage.server().on('connection', (peer: Socket) => peer.end('hi'));
    const address = await stage.listen(server);
    const client = stage.socket('client', stage.subject.socket());
    const wrong =
      address.path === undefined ? { host: '127.0.0.1', port: DEAF_PORT } : { path: `${address.path}.none` };
    client.connect(wrong as { path: string });
    await closed(client);
    await nextTurn();
    client.connect(address as { path: string });
    client.resume();
    await closed(client);
  },
  'a readable side that is not wanted': async (stage) => {
    const { client, peer } = await stage.pair({ client: { readable: false } });
    peer.resume();
    client.end('x');
  },
  'a writable side that is not wanted': async (stage) => {
    const { client, peer } = await stage.pair({ client: { writable: false } });
    client.resume();
    peer.end('x');
  },
  'names and ends': async (stage) => {
    const { client, peer } = await stage.pair();
    for (const socket of [client, peer]) {
      stage.note(socket, 'families', [socket.localFamily, socket.remoteFamily]);
      stage.note(socket, 'addresses', [socket.localAddress, socket.remoteAddress]);
      stage.note(socket, 'numbers', [typeof socket.localPort, typeof socket.remotePort]);
      socket.resume();
    }
    client.end();
    await closed(client);
    stage.note(client, 'addresses', [client.localAddress, client.remoteAddress, client.address()]);
  },
  settings: async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    stage.try(client, 'setNoDelay', () => client.setNoDelay(true));
    stage.try(client, 'setKeepAlive', () => client.setKeepAlive(true, 5000));
    stage.try(client, 'ref', () => client.ref());
    stage.try(client, 'unref', () => client.unref());
    stage.try(client, 'ref again', () => client.ref());
    client.end();
    await closed(client);
    stage.try(client, 'late setNoDelay', () => client.setNoDelay(false));
    stage.try(client, 'late setKeepAlive', () => client.setKeepAlive(false));
    stage.try(client, 'late ref', () => client.ref());
    stage.try(client, 'late unref', () => client.unref());
    stage.try(client, 'late setTimeout', () => client.setTimeout(5));
  },
};

const timeouts: Record<string, Scenario> = {
  'setTimeout()': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    stage.within('timeout', () => {
      stage.try(client, 'setTimeout', () => client.setTimeout(20, stage.callback(client, 'timed out')));
    });
    await once(client, 'timeout');
    client.end();
  },
  'setTimeout() of an accepted socket': async (stage) => {
    const { client, peer } = await stage.pair();
    client.resume();
    stage.within('timeout', () => peer.setTimeout(20));
    await once(peer, 'timeout');
    peer.destroy();
  },
  'a timeout again after activity': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.setTimeout(20);
    await once(client, 'timeout');
    client.write('x');
    await once(client, 'timeout');
    stage.try(client, 'setTimeout', () => client.setTimeout(0));
    client.end();
  },
  // Long enough for any connect to be through before.
  'the timeout option': async (stage) => {
    const { client, peer } = await stage.pair({ client: { timeout: 300 } as ConnectOptions });
    peer.resume();
    await once(client, 'timeout');
    client.end();
  },
  'a timeout taken back': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    const listener = stage.callback(client, 'unexpected');
    client.setTimeout(50, listener);
    client.setTimeout(0, listener);
    await new Promise((resolve) =>
      peer.setTimeout(60, () => {
        resolve(undefined);
      }),
    );
    client.end();
  },
  'timeouts that make no sense': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    for (const value of ['5', -1, Number.NaN, Infinity, undefined]) {
      stage.try(client, `setTimeout(${String(value)})`, () => client.setTimeout(value as number));
    }
    stage.try(client, 'a callback that is none', () => client.setTimeout(5, 'x' as never));
    client.setTimeout(0);
    client.end();
  },
  'setTimeout() before connect()': async (stage) => {
    const server = stage.server().on('connection', (peer: Socket) => peer.resume());
    const address = await stage.listen(server);
    const client = stage.socket('client', stage.subject.socket());
    stage.within('timeout', () => client.setTimeout(100));
    stage.within('connect', () => client.connect(address as { path: string }));
    await once(client, 'timeout');
    client.destroy();
  },
};

describe.each(everyWay)('connecting: $name over $family', ({ subject, family }) => {
  it.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    await compare(scenario, subject, family);
  });

  it.each(Object.entries(timeouts))('%s', async (_, scenario) => {
    await compare(scenario, subject, family, FRESH);
  });
});

describe.each(subjects)('failing to connect: $name', (subject) => {
  it.each(Object.entries(failures))('%s', async (_, scenario) => {
    await compare(scenario, subject, 'unix');
  });

  it.runIf(hasIPv6)('a second address that answers', async () => {
    await compare(
      async (stage) => {
        const server = stage.server().on('connection', (peer: Socket) => peer.end('hi'));
        const { port } = await stage.listen(server);
        const client = stage.connect({ port, host: 'name', lookup: found(V6, V4) });
        client.resume();
        await closed(client);
        stage.note(client, 'attempted', client.autoSelectFamilyAttemptedAddresses);
      },
      subject,
      'tcp',
    );
  });

  it('tells diagnostics channels what node tells', async () => {
    const told = async (by: Subject): Promise<string[]> => {
      const said: string[] = [];
      const note =
        (name: string) =>
        (message: unknown): void => {
          const { socket, server } = message as { socket?: Socket; server?: unknown };
          const kind =
            socket === undefined ? server instanceof net.Server && 'server' : socket instanceof net.Socket && 'socket';
          said.push(`${name} ${String(kind)}`);
        };
      const names = ['net.client.socket', 'net.server.socket', 'tracing:net.server.listen:asyncStart'];
      names.push('tracing:net.server.listen:asyncEnd', 'tracing:net.server.listen:error');
      const listeners = names.map((name) => [name, note(name)] as const);
      for (const [name, listener] of listeners) diagnostics.subscribe(name, listener);
      cleanup(() => {
        for (const [name, listener] of listeners) diagnostics.unsubscribe(name, listener);
      });
      await compare(
        async (stage) => {
          const server = stage.server().on('connection', (peer: Socket) => peer.end());
          const address = await stage.listen(server);
          const client = stage.connect(address);
          client.resume();
          await closed(client);
          const again = stage.socket('again', by.socket());
          again.connect(address as { path: string });
          again.resume();
          await closed(again);
          const busy = by.createServer();
          busy.on('error', () => undefined);
          busy.listen(address);
          await new Promise((resolve) => busy.once('error', resolve));
        },
        by,
        'unix',
        FRESH,
      );
      for (const [name, listener] of listeners) diagnostics.unsubscribe(name, listener);
      return said;
    };
    const expected = await told(reference);
    expect(expected).not.toHaveLength(0);
    expect(await told(subject)).toEqual(expected);
  });

  it('blockList', async () => {
    const list = new net.BlockList();
    list.addAddress('127.0.0.1');
    await compare(
      async (stage) => {
        const server = stage.server({ blockList: list } as net.ServerOpts);
        const address = await stage.listen(server);
        server.on('connection', (peer: Socket) => peer.end());
        const turnedAway = stage.connect(address, 'turned away');
        turnedAway.resume();
        await closed(turnedAway);
        const open = stage.server({}, 'open server').on('connection', (peer: Socket) => peer.end());
        const there = await stage.listen(open);
        const blocked = stage.connect({ ...there, blockList: list }, 'blocked');
        blocked.resume();
        await closed(blocked);
      },
      subject,
      'tcp',
    );
  });
});
