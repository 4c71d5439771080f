/** autoTune: send buffers that grow by what is seen, on living and on later connections. */
import * as diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createServer, type ServerStats, type TuneEvent } from 'nearwire';
import { Channel, ChannelServer } from 'nearwire/channel';
import * as nearwireHttp from 'nearwire/http';
import { getSocketOptions } from 'nearwire/tune';
import { cleanup, closeAtEnd, closed, socketPath } from './support/sockets.js';
import { native, subjects, type Subject } from './support/subjects.js';
import { until } from './support/relays.js';

const KiB = 1024;
const MiB = 1024 * KiB;

function statsOf(server: object): ServerStats {
  return (server as { stats(): ServerStats }).stats();
}

function tunings(): TuneEvent[] {
  const events: TuneEvent[] = [];
  const note = (event: unknown): void => {
    events.push(event as TuneEvent);
  };
  diagnostics.subscribe('nearwire:tune', note);
  cleanup(() => diagnostics.unsubscribe('nearwire:tune', note));
  return events;
}

async function listenAt(server: Server): Promise<string> {
  const path = socketPath();
  closeAtEnd(server);
  server.listen(path);
  await once(server, 'listening');
  return path;
}

/** A client that asks for 1 MiB again and again and reads slowly, until told to stop. */
async function slowReader(socket: Socket, goesOn: () => boolean, question = '?'): Promise<void> {
  const gone = closed(socket);
  while (goesOn()) {
    socket.write(question);
    for (let left = MiB; left > 0 && goesOn();) {
      const chunk = socket.read(Math.min(left, socket.readableLength || 1, 32 * KiB)) as Buffer | null;
      if (chunk === null) {
        await Promise.race([once(socket, 'readable'), gone]);
        continue;
      }
      left -= chunk.length;
      // What makes the reader slow; nothing waits for it to have passed.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

async function clientOf(subject: Subject, server: Server, path: string): Promise<[Socket, Socket]> {
  const accepted = once(server, 'connection');
  const client = subject.connect({ path });
  client.on('error', () => undefined);
  cleanup(() => {
    client.destroy();
  });
  const [[peer]] = (await Promise.all([accepted, once(client, 'connect')])) as [[Socket], unknown];
  // It goes while the server still writes to it.
  peer.on('error', () => undefined);
  return [client, peer];
}

const ours = subjects.filter(({ name }) => name !== 'node:net');
const body = Buffer.alloc(MiB);

describe.each(ours)('autoTune: $name', (subject) => {
  it('makes the buffers of living and later connections larger', async () => {
    const events = tunings();
    const transport = subject.name as 'native' | 'js';
    const server = createServer({ transport, autoTune: { every: 300 } }, (socket) => {
      socket.on('data', () => socket.write(body));
    });
    expect(statsOf(server).autoTune).toMatchObject({ sendBuffer: undefined, changes: 0 });
    const path = await listenAt(server);
    const [client, peer] = await clientOf(subject, server, path);
    const before = getSocketOptions(peer).sendBuffer ?? Number.NaN;
    expect(before).toBeLessThan(MiB);
    let goesOn = true;
    const reading = slowReader(client, () => goesOn);
    await until(() => events.length > 0);
    goesOn = false;
    const living = getSocketOptions(peer).sendBuffer ?? Number.NaN;
    expect(living).toBeGreaterThan(before);
    expect(living).toBeGreaterThanOrEqual(MiB);
    expect(events[0]).toMatchObject({ option: 'sendBuffer', after: living, connections: 1 });
    expect(events[0]?.server).toBe(server);
    expect(events[0]?.finding.because).toContain('set sendBuffer to');
    const { autoTune } = statsOf(server);
    expect(autoTune).toMatchObject({ effective: living, changes: events.length });
    const [, later] = await clientOf(subject, server, path);
    expect(getSocketOptions(later).sendBuffer).toBe(living);
    client.destroy();
    await reading;
  });

  it('leaves small answers alone, and says why', async () => {
    const transport = subject.name as 'native' | 'js';
    const server = createServer({ transport, autoTune: { every: 50 } }, (socket) => {
      socket.on('data', () => socket.write('answer'));
    });
    const path = await listenAt(server);
    const [client] = await clientOf(subject, server, path);
    client.on('data', () => client.write('?'));
    client.write('?');
    await until(() => statsOf(server).autoTune?.because.includes('it would not matter') === true);
    expect(statsOf(server).autoTune).toMatchObject({ changes: 0, sendBuffer: undefined });
  });

  it('keeps to its limits', async () => {
    const events = tunings();
    const transport = subject.name as 'native' | 'js';
    const largest = 512 * KiB;
    const server = createServer({ transport, autoTune: { every: 300, largest } }, (socket) => {
      socket.on('data', () => socket.write(body));
    });
    const path = await listenAt(server);
    const [client, peer] = await clientOf(subject, server, path);
    let goesOn = true;
    const reading = slowReader(client, () => goesOn);
    await until(() => events.length > 0);
    goesOn = false;
    expect(getSocketOptions(peer).sendBuffer).toBe(largest);
    client.destroy();
    await reading;
  });
});

describe('autoTune', () => {
  it('puts no more memory at stake than it may', async () => {
    const server = createServer({ transport: 'native', autoTune: { every: 100, memory: 100 * KiB } }, (socket) => {
      socket.on('data', () => socket.write(body));
    });
    const path = await listenAt(server);
    const [client, peer] = await clientOf(native, server, path);
    let goesOn = true;
    const reading = slowReader(client, () => goesOn);
    await until(() => statsOf(server).autoTune?.because.includes('leave room for no more than') === true);
    goesOn = false;
    // The engine itself grows it a little, where writes repeat.
    expect(getSocketOptions(peer).sendBuffer).toBeLessThan(MiB);
    client.destroy();
    await reading;
  });

  it('works for http and for channels', async () => {
    const events = tunings();
    const web = nearwireHttp.createServer({ transport: 'native', autoTune: { every: 300 } }, (_, response) => {
      response.end(body);
    });
    const path = await listenAt(web);
    const [client] = await clientOf(native, web, path);
    let goesOn = true;
    const reading = slowReader(client, () => goesOn, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => events.length > 0);
    goesOn = false;
    expect(events[0]?.server).toBe(web);
    client.destroy();
    await reading;

    let accepted: Channel | undefined;
    const channelPath = socketPath();
    const server = ChannelServer.listen(
      { path: channelPath, transport: 'native', autoTune: { every: 300 } },
      {
        onConnection: (channel) => (accepted = channel),
        onData: (channel) => channel.write(body),
        onError: () => undefined,
      },
    );
    cleanup(() => {
      server.close();
    });
    const reader = native.connect({ path: channelPath });
    reader.on('error', () => undefined);
    await once(reader, 'connect');
    goesOn = true;
    const alsoReading = slowReader(reader, () => goesOn);
    const before = events.length;
    await until(() => events.length > before);
    goesOn = false;
    expect(getSocketOptions(accepted as unknown as Channel).sendBuffer).toBeGreaterThanOrEqual(MiB);
    reader.destroy();
    await alsoReading;
  });

  it('refuses wrong options', () => {
    const wrong: [unknown, string][] = [
      ['yes', 'ERR_INVALID_ARG_TYPE'],
      [null, 'ERR_INVALID_ARG_TYPE'],
      [{ every: '1' }, 'ERR_INVALID_ARG_TYPE'],
      [{ every: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ largest: 1 }, 'ERR_OUT_OF_RANGE'],
      [{ largest: 2 ** 30 }, 'ERR_OUT_OF_RANGE'],
      [{ memory: 1.5 }, 'ERR_OUT_OF_RANGE'],
    ];
    for (const [autoTune, code] of wrong) {
      const error = expect.objectContaining({ code }) as Error;
      expect(() => createServer({ autoTune } as object)).toThrow(error);
      expect(() => nearwireHttp.createServer({ autoTune } as object)).toThrow(error);
      expect(() => ChannelServer.listen({ path: socketPath(), autoTune } as never, {})).toThrow(error);
    }
    expect(statsOf(createServer({ autoTune: false })).autoTune).toBeUndefined();
  });
});
