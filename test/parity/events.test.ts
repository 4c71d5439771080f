/** The order of events: what node:net does in the same run is the expectation. */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { cleanup, closed, fill, listen, nextTurn, pair, record, type Pair } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';

const NAMES = ['connect', 'ready', 'data', 'end', 'prefinish', 'finish', 'drain', 'error', 'timeout', 'close'];

interface Ends extends Pair {
  log: string[];
  both: Promise<unknown>;
}

async function recorded(subject: Subject, family: Family, allowHalfOpen = false): Promise<Ends> {
  const ends = await pair(subject, family, { server: { allowHalfOpen }, client: { allowHalfOpen } });
  const log: string[] = [];
  record(ends.client, NAMES, log, 'client ');
  record(ends.peer, NAMES, log, 'peer ');
  ends.client.on('error', () => undefined);
  ends.peer.on('error', () => undefined);
  return { ...ends, log, both: Promise.all([closed(ends.client), closed(ends.peer)]) };
}

/** One end's events in order: how the two ends interleave, and how data is cut, is the kernel's business. */
function byEnd(log: string[]): Record<string, string[]> {
  const isNews = (entry: string, i: number, all: string[]): boolean => !entry.endsWith('data') || all[i - 1] !== entry;
  return {
    client: log.filter((entry) => entry.startsWith('client')).filter(isNews),
    peer: log.filter((entry) => entry.startsWith('peer')).filter(isNews),
  };
}

/** node's types say that end() calls back without an error; it does not. */
function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code;
}

type Scenario = (ends: Ends) => unknown;

const scenarios: Record<string, Scenario> = {
  'end() at once': ({ client, peer }) => {
    peer.resume();
    client.resume();
    client.end();
  },
  'end(data, callback)': ({ client, peer, log }) => {
    peer.resume();
    client.resume();
    client.end('x', () => log.push('client end callback'));
  },
  'write with callbacks, then end': ({ client, peer, log }) => {
    peer.resume();
    client.resume();
    client.write('a', () => log.push('client a'));
    client.write('b', 'utf8', () => log.push('client b'));
    client.end(() => log.push('client end callback'));
  },
  'large write, then end': ({ client, peer, log }) => {
    peer.on('readable', () => {
      while (peer.read() !== null);
    });
    client.resume();
    client.write(Buffer.alloc(3_000_000), () => log.push('client written'));
    client.end(() => log.push('client end callback'));
  },
  'destroy() at once': ({ client, peer }) => {
    peer.resume();
    client.destroy();
  },
  'destroy(error)': ({ client, peer }) => {
    peer.resume();
    client.destroy(Object.assign(new Error('mine'), { code: 'MINE' }));
  },
  'destroy() twice, with two errors': ({ client, peer }) => {
    peer.resume();
    client.destroy(Object.assign(new Error('mine'), { code: 'ONE' }));
    client.destroy(Object.assign(new Error('mine'), { code: 'TWO' }));
  },
  'destroySoon() with data': ({ client, peer, log }) => {
    peer.resume();
    client.write('x', () => log.push('client x'));
    client.destroySoon();
  },
  'destroySoon() with nothing': ({ client, peer }) => {
    peer.resume();
    client.destroySoon();
  },
  'write, then destroy()': ({ client, peer, log }) => {
    peer.resume();
    client.write('x', () => log.push('client x'));
    client.destroy();
  },
  'write after end()': ({ client, peer, log }) => {
    peer.resume();
    client.end();
    client.write('x', (error) => log.push(`client x ${String(codeOf(error))}`));
  },
  'end() after end()': ({ client, peer, log }) => {
    peer.resume();
    client.resume();
    client.end();
    client.end((error?: Error) => log.push(`client second ${String(codeOf(error))}`));
  },
  'end() after finish': ({ client, peer, log }) => {
    peer.resume();
    client.resume();
    client.end(() => {
      client.end((error?: Error) => log.push(`client second ${String(codeOf(error))}`));
    });
  },
  'write after the other side has ended': ({ client, peer, log }) => {
    client.resume();
    client.on('end', () => {
      setImmediate(() => {
        log.push(
          `client wrote ${String(client.write('x', (e) => log.push(`client x ${String((e as NodeJS.ErrnoException).code)}`)))}`,
        );
      });
    });
    peer.resume();
    peer.end();
  },
  'write in the end listener': ({ client, peer, log }) => {
    client.resume();
    client.on('end', () => log.push(`client wrote ${String(client.write('bye', () => log.push('client bye')))}`));
    peer.resume();
    peer.end();
  },
  'a wrong chunk': ({ client, peer, log }) => {
    peer.resume();
    try {
      client.write(null as unknown as string);
    } catch (error) {
      log.push(`client threw ${String(codeOf(error))}`);
    }
    try {
      client.write(5 as unknown as string);
    } catch (error) {
      log.push(`client threw ${String(codeOf(error))}`);
    }
    try {
      client.write('x', 'nonsense' as BufferEncoding);
    } catch (error) {
      log.push(`client threw ${String(codeOf(error))}`);
    }
    client.destroy();
  },
  'corked writes': ({ client, peer, log }) => {
    peer.resume();
    client.resume();
    client.cork();
    client.write('a', () => log.push('client a'));
    client.write('b', () => log.push('client b'));
    log.push(`client length ${String(client.writableLength)} ${String(client.writableCorked)}`);
    client.uncork();
    log.push(`client length ${String(client.writableLength)}`);
    client.end(() => log.push('client end callback'));
  },
  'corked, then end()': ({ client, peer, log }) => {
    peer.resume();
    client.resume();
    client.cork();
    client.cork();
    client.write('a', () => log.push('client a'));
    client.end('b', () => log.push('client end callback'));
  },
  'corked, then destroy()': ({ client, peer, log }) => {
    peer.resume();
    client.cork();
    client.write('a', (error) => log.push(`client a ${String(codeOf(error))}`));
    client.destroy();
  },
  'corked past the high-water mark': ({ client, peer, log }) => {
    peer.resume();
    client.resume();
    client.cork();
    const answers: boolean[] = [];
    // The default high-water mark is four times as high from node 22 on.
    const chunk = 'x'.repeat(client.writableHighWaterMark / 4);
    for (let i = 0; i < 6; i++) answers.push(client.write(chunk));
    log.push(`client ${answers.join()} ${String(client.writableLength)} ${String(client.writableNeedDrain)}`);
    client.once('drain', () => client.end());
    client.uncork();
  },
  'destroy() with a write under way': ({ client, peer, log }) => {
    peer.pause();
    client.write(Buffer.alloc(30_000_000), (error) => log.push(`client written ${String(error?.message)}`));
    client.write('more', (error) => log.push(`client more ${String(codeOf(error))}`));
    client.destroy();
    setImmediate(() => peer.destroy());
  },
  'a half-closed client': ({ client, peer }) => {
    client.resume();
    client.end('question');
    peer.on('end', () => peer.end('answer'));
    peer.resume();
  },
  'no reader at all': ({ client, peer }) => {
    client.end();
    peer.end();
  },
};

async function play(subject: Subject, family: Family, scenario: Scenario, halfOpen: boolean): Promise<unknown> {
  const ends = await recorded(subject, family, halfOpen);
  await scenario(ends);
  await ends.both;
  await nextTurn();
  return byEnd(ends.log);
}

describe.each(everyWay)('events: $name over $family', ({ subject, family }) => {
  it.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    expect(await play(subject, family, scenario, false)).toEqual(await play(reference, family, scenario, false));
  });

  it.each(['a half-closed client', 'end() at once', 'destroy() at once', 'destroySoon() with data'])(
    '%s, half-open allowed',
    async (name) => {
      const scenario = (ends: Ends): unknown => {
        const outcome = (scenarios[name] as Scenario)(ends);
        for (const end of [ends.peer, ends.client]) {
          end.on('end', () => {
            if (end.writable) end.end();
          });
        }
        return outcome;
      };
      expect(await play(subject, family, scenario, true)).toEqual(await play(reference, family, scenario, true));
    },
  );

  it('stays half-open as long as wanted', async () => {
    const { client, peer } = await pair(subject, family, { server: { allowHalfOpen: true } });
    client.end();
    peer.resume();
    await once(peer, 'end');
    await nextTurn();
    expect([peer.readyState, peer.writable, peer.destroyed]).toEqual(['writeOnly', true, false]);
    expect(client.readyState).toBe('readOnly');
    const received = once(client, 'data');
    peer.write('still here');
    expect(String((await received)[0])).toBe('still here');
    peer.end();
    await once(client, 'close');
  });

  const STATES = ['pending', 'connecting', 'readyState', 'destroyed', 'readable', 'writable', 'closed'] as const;
  const state = (socket: Socket): unknown[] => STATES.map((name) => socket[name]);

  async function lifetime(by: Subject): Promise<unknown[]> {
    const server: Server = by.createServer({}, (socket) => socket.resume());
    const address = await listen(server, family);
    const socket = by.socket();
    const states = [state(socket)];
    socket.connect(address as { path: string });
    states.push(state(socket));
    await once(socket, 'connect');
    states.push(state(socket));
    socket.resume();
    socket.end();
    states.push(state(socket));
    await once(socket, 'finish');
    states.push(state(socket));
    await once(socket, 'close');
    states.push(state(socket));
    return states;
  }

  it('goes through the states of node:net', async () => {
    expect(await lifetime(subject)).toEqual(await lifetime(reference));
  });

  it('can be connected again after it has closed', async () => {
    const server = subject.createServer({}, (socket) => socket.end('hi'));
    const address = await listen(server, family);
    const socket = subject.socket();
    for (let round = 0; round < 3; round++) {
      let text = '';
      const onData = (chunk: Buffer): void => void (text += chunk.toString());
      socket.on('data', onData);
      socket.connect(address as { path: string });
      await once(socket, 'close');
      socket.off('data', onData);
      expect(text).toBe('hi');
    }
  });

  const points = ['connection', 'connect', 'ready', 'data', 'end', 'finish', 'drain', 'write callback', 'timeout'];
  it.each(points)('may be destroyed in %s', async (point) => {
    const told: string[] = [];
    const server = subject.createServer({}, (socket) => {
      socket.on('error', () => undefined);
      socket.on('close', () => told.push('peer'));
      if (point === 'connection') {
        socket.destroy();
        return;
      }
      if (point === 'data' || point === 'end') socket.on(point, () => socket.destroy());
      socket.resume();
      if (point === 'finish') socket.end('x');
    });
    const address = await listen(server, family);
    const client = subject.connect(address);
    client.on('error', () => undefined);
    client.on('close', () => told.push('client'));
    const destroy = (): void => void client.destroy();
    if (['connect', 'ready', 'drain', 'timeout'].includes(point)) client.on(point, destroy);
    if (point === 'timeout') client.setTimeout(1);
    if (point === 'finish') client.resume();
    client.once('connect', () => {
      if (point === 'drain') fill(client);
      else if (point === 'write callback') client.write('x', destroy);
      else if (point !== 'timeout' && !client.destroyed) client.write('x');
      if (point === 'end') client.end();
    });
    client.on('data', () => undefined);
    if (point === 'finish') client.on('end', destroy);
    await closed(client);
    server.close();
    await once(server, 'close');
    await nextTurn();
    expect(told.filter((who) => who === 'client')).toHaveLength(1);
    expect(told.filter((who) => who === 'peer').length).toBeLessThanOrEqual(1);
  });

  it("come though the program has put timers of its own in place of node's", async () => {
    const { log, both, client, peer } = await recorded(subject, family);
    vi.useFakeTimers();
    cleanup(() => vi.useRealTimers());
    client.resume().end();
    peer.resume();
    await both;
    for (const end of ['client', 'peer']) {
      expect(log).toEqual(expect.arrayContaining([`${end} end`, `${end} finish`, `${end} close:false`]));
    }
  });
});
