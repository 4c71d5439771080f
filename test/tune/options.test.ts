/** nearwire/tune: socket options, on everything that has a socket underneath. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { getSocketOptions, setSocketOptions, type SocketOptionValues } from 'nearwire/tune';
import { runChild } from '../support/children.js';
import { requireOrSkip } from '../support/requirements.js';
import {
  descriptorOf,
  hasChannels,
  holderKinds,
  optionRows,
  readByPython,
  TCP,
  UNIX,
} from '../support/socket-options.js';
import { closed, listen, pair } from '../support/sockets.js';
import { everyWay, js, reference } from '../support/subjects.js';

const hasAddon = requireOrSkip('addon') !== undefined;
const tuneFile = new URL('../../dist/bundle/tune.js', import.meta.url).href;
const isRoot = process.getuid?.() === 0;
const rows = optionRows();
/** Linux doubles buffers. */
const factor = process.platform === 'linux' ? 2 : 1;

/** Values that no socket begins with. */
const VALUES: Required<SocketOptionValues> = {
  sendBufferSize: 300_000,
  recvBufferSize: 200_000,
  // Whole ticks of a kernel's clock at 100, 250 and 1,000 Hz.
  sendTimeout: 1500,
  recvTimeout: 2500,
  keepAlive: true,
  keepAliveIdleSeconds: 100,
  keepAliveIntervalSeconds: 7,
  keepAliveCount: 5,
  noDelay: true,
  quickAck: false,
  userTimeout: 4000,
  notSentLowWaterMark: 16_384,
  lingerSeconds: 3,
  mark: 4_000_000_000,
  priority: 5,
  busyPollMicroseconds: 50,
  incomingCpu: 0,
  passCredentials: true,
};
const names = Object.keys(VALUES) as (keyof SocketOptionValues)[];
/** Setting these takes a privilege. */
const PRIVILEGED = ['mark', 'busyPollMicroseconds'];

function effective(name: keyof SocketOptionValues): number | boolean | undefined {
  const value = VALUES[name];
  return name === 'sendBufferSize' || name === 'recvBufferSize' ? Number(value) * factor : value;
}

/** Names of options that a socket of this kind, non-blocking, has here. */
function settable(kind: number): (keyof SocketOptionValues)[] {
  return names.filter((name) => {
    const row = rows.find((each) => each.name === name);
    return row?.here !== undefined && (row.here.settable & kind) !== 0 && !row.blockingOnly;
  });
}

it.skipIf(!hasAddon)('declares the options that the table has', () => {
  expect(rows.map(({ name }) => name)).toEqual(names);
});

describe.skipIf(!hasAddon).each(everyWay)('socket options of $name over $family', ({ subject, family }) => {
  it.each(holderKinds.filter(({ name }) => hasChannels(subject.name) || !name.includes('channel')))(
    'are set and read back: $name',
    async ({ open }) => {
      const { target, kind } = await open(subject, family);
      const able = settable(kind).filter((name) => isRoot || !PRIVILEGED.includes(name));
      for (const name of able) {
        const set = setSocketOptions(target, { [name]: VALUES[name] });
        expect(set).toEqual({ [name]: { requested: VALUES[name], effective: effective(name) } });
        // The kernel leaves this mode as it likes.
        if (name !== 'quickAck') expect(getSocketOptions(target)[name]).toBe(effective(name));
      }
      // A process each time: what they see does not depend on the transport.
      const eyes = subject === reference ? readByPython(descriptorOf(target)) : undefined;
      for (const name of able) {
        // mark is an int to Python.
        const seen = name === 'mark' ? Number(eyes?.[name]) >>> 0 : eyes?.[name];
        if (eyes !== undefined && name in eyes && name !== 'quickAck')
          expect([name, seen]).toEqual([name, effective(name)]);
      }
      // A closing that waits would hold up the test.
      if (able.includes('lingerSeconds')) setSocketOptions(target, { lingerSeconds: false });
    },
  );

  it.each(holderKinds.filter(({ name }) => hasChannels(subject.name) || !name.includes('channel')))(
    'are refused where they mean nothing: $name',
    async ({ open }) => {
      const { target, kind } = await open(subject, family);
      const able = settable(kind);
      const unable = names.filter((name) => !able.includes(name));
      expect(unable.length).toBeGreaterThan(0);
      const before = getSocketOptions(target);
      for (const name of unable) {
        // One that can be set stands before it: nothing is set.
        expect(() => setSocketOptions(target, { keepAlive: true, [name]: VALUES[name] })).toThrow(
          expect.objectContaining({ code: 'ERR_NEARWIRE_OPTION_NOT_SUPPORTED' }) as Error,
        );
      }
      expect({ ...getSocketOptions(target), quickAck: before.quickAck }).toEqual({ ...before });
    },
  );
});

describe.skipIf(!hasAddon).each(everyWay)('socket options of a listener: $name over $family', ({ subject, family }) => {
  it('are those of the connections that it accepts from then on', async () => {
    const server = subject.createServer();
    const address = await listen(server, family);
    const kinds = family === 'unix' ? UNIX : TCP;
    // incomingCpu is about the listener itself, and a connection's is the kernel's own note.
    const able = settable(kinds.listener).filter(
      (name) => name !== 'incomingCpu' && (isRoot || !PRIVILEGED.includes(name)),
    );
    const set = setSocketOptions(server, Object.fromEntries(able.map((name) => [name, VALUES[name]])));
    expect(Object.keys(set)).toEqual(able);
    const accepted = once(server, 'connection');
    const client = subject.connect(address);
    const [peer] = (await accepted) as [Socket];
    expect(getSocketOptions(peer)).toMatchObject(Object.fromEntries(able.map((name) => [name, effective(name)])));
    setSocketOptions(peer, 'lingerSeconds' in set ? { lingerSeconds: false } : {});
    client.destroy();
  });
});

describe.skipIf(!hasAddon)('socket options', () => {
  it('have timeouts where calls block, and nowhere else', async () => {
    const code = `
      const { setSocketOptions, getSocketOptions } = await import(${JSON.stringify(tuneFile)});
      const before = getSocketOptions(0);
      say(setSocketOptions(0, { sendTimeout: 1500, recvTimeout: 2500 }));
      const { sendTimeout, recvTimeout } = getSocketOptions(0);
      say([before.recvTimeout, sendTimeout, recvTimeout]);
      try {
        // Standard input becomes non-blocking as node reads it.
        process.stdin.resume();
        setSocketOptions(0, { recvTimeout: 500 });
      } catch ({ code, socketKind }) {
        say([code, socketKind]);
      }
      say('recvTimeout' in getSocketOptions(0));
      process.exit();`;
    // Its standard input is one end of a UNIX socket pair.
    expect(await runChild('js', code)).toMatchObject({
      stderr: '',
      said: [
        {
          sendTimeout: { requested: 1500, effective: 1500 },
          recvTimeout: { requested: 2500, effective: 2500 },
        },
        [0, 1500, 2500],
        ['ERR_NEARWIRE_OPTION_NOT_SUPPORTED', 'a UNIX connection that does not block'],
        false,
      ],
    });
  });

  const system = rows.length > 0 ? process.platform : '';

  it.skipIf(system !== 'linux')('name the platform and the kind of socket in what is refused', async () => {
    const { client } = await pair(reference, 'unix');
    expect(() => setSocketOptions(client, { noDelay: true })).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/"noDelay" cannot be set on (linux|posix) for a UNIX connection$/) as string,
        option: 'noDelay',
        socketKind: 'a UNIX connection',
      }) as Error,
    );
  });

  it('that nobody knows are refused as such', async () => {
    const { client } = await pair(reference, 'tcp');
    const options = { noDelay: true, nodelay: true } as SocketOptionValues;
    expect(() => setSocketOptions(client, options)).toThrow(
      expect.objectContaining({ code: 'ERR_NEARWIRE_UNKNOWN_OPTION', option: 'nodelay' }) as Error,
    );
    expect(getSocketOptions(client).noDelay).toBe(false);
  });

  it.each([
    ['sendBufferSize', '5', 'ERR_INVALID_ARG_TYPE'],
    ['sendBufferSize', null, 'ERR_INVALID_ARG_TYPE'],
    ['sendBufferSize', 0, 'ERR_OUT_OF_RANGE'],
    ['sendBufferSize', 2 ** 31, 'ERR_OUT_OF_RANGE'],
    ['sendBufferSize', 1.5, 'ERR_OUT_OF_RANGE'],
    ['recvBufferSize', Number.NaN, 'ERR_OUT_OF_RANGE'],
    ['noDelay', 1, 'ERR_INVALID_ARG_TYPE'],
    ['keepAlive', 'true', 'ERR_INVALID_ARG_TYPE'],
    ['lingerSeconds', true, 'ERR_INVALID_ARG_TYPE'],
    ['lingerSeconds', -1, 'ERR_OUT_OF_RANGE'],
  ])('%s: %j is %s', async (name, value, code) => {
    const { client } = await pair(reference, 'tcp');
    const before = getSocketOptions(client).sendBufferSize;
    expect(() => setSocketOptions(client, { keepAlive: true, [name]: value })).toThrow(
      expect.objectContaining({ code }) as Error,
    );
    expect(getSocketOptions(client)).toMatchObject({ keepAlive: false, sendBufferSize: before });
  });

  it.each(rows.filter(({ here, type }) => here !== undefined && type !== 'boolean'))(
    '$name keeps to its range',
    async ({ name, here, blockingOnly }) => {
      const { client, server } = await pair(reference, 'tcp');
      const { settable: kinds = 0, highest = 0, lowest = 0 } = here ?? {};
      // Checked before anything is asked of the socket, but for the kind.
      if (blockingOnly) return;
      const target = (kinds & 4) !== 0 ? client : server;
      for (const value of [lowest - 1, highest + 1]) {
        if (name === 'lingerSeconds' && value === -1) continue;
        expect(() => setSocketOptions(target, { [name]: value })).toThrow(
          expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }) as Error,
        );
      }
      if (PRIVILEGED.includes(name) && !isRoot) return;
      const { effective: most } = Object.values(setSocketOptions(target, { [name]: lowest }))[0] ?? {};
      expect(most).toBeDefined();
    },
  );

  it('leave out what is undefined', async () => {
    const { client } = await pair(reference, 'tcp');
    expect(setSocketOptions(client, { keepAlive: undefined, noDelay: true })).toEqual({
      noDelay: { requested: true, effective: true },
    });
    expect(setSocketOptions(client, {})).toEqual({});
  });

  it.skipIf(process.platform !== 'linux')('tell what a buffer was clamped by', async () => {
    const { client } = await pair(reference, 'tcp');
    const { readFileSync } = await import('node:fs');
    const limit = (name: string): number => Number(readFileSync(`/proc/sys/net/core/${name}`, 'utf8'));
    const set = setSocketOptions(client, { sendBufferSize: 2 ** 31 - 1, recvBufferSize: 2 ** 31 - 1 });
    const isPosix = rows.some(({ name, here }) => name === 'mark' && here === undefined);
    expect(set).toEqual({
      sendBufferSize: {
        requested: 2 ** 31 - 1,
        effective: 2 * limit('wmem_max'),
        clampedBy: isPosix ? "the system's limit" : 'net.core.wmem_max',
      },
      recvBufferSize: {
        requested: 2 ** 31 - 1,
        effective: 2 * limit('rmem_max'),
        clampedBy: isPosix ? "the system's limit" : 'net.core.rmem_max',
      },
    });
    if (isPosix) return;
    expect(setSocketOptions(client, { sendBufferSize: 1 }).sendBufferSize).toMatchObject({
      requested: 1,
      clampedBy: 'SOCK_MIN_SNDBUF',
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'that the kernel refuses name the one and tell what was set before it',
    async () => {
      const code = `
      const { setSocketOptions, getSocketOptions } = await import(${JSON.stringify(tuneFile)});
      const isRoot = process.getuid() === 0;
      // Without root's privileges, for as long as it matters: its own files are written at the exit.
      if (isRoot) process.seteuid(65534);
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const client = connect(server.address().port, '127.0.0.1');
      await once(client, 'connect');
      try {
        setSocketOptions(client, { keepAlive: true, priority: 7, noDelay: true });
      } catch ({ message, code, errno, syscall, option, applied }) {
        say({ message, code, errno, syscall, option, applied });
      }
      const { keepAlive, noDelay } = getSocketOptions(client);
      say({ keepAlive, noDelay });
      if (isRoot) process.seteuid(0);
      process.exit();`;
      const isPosix = rows.some(({ name, here }) => name === 'mark' && here === undefined);
      const { said, stderr } = await runChild('js', code);
      expect(stderr).toBe('');
      expect(said).toEqual(
        isPosix
          ? [
              expect.objectContaining({ code: 'ERR_NEARWIRE_OPTION_NOT_SUPPORTED' }),
              { keepAlive: false, noDelay: false },
            ]
          : [
              {
                message: 'setsockopt EPERM: operation not permitted, priority',
                code: 'EPERM',
                errno: -1,
                syscall: 'setsockopt',
                option: 'priority',
                applied: { keepAlive: { requested: true, effective: true } },
              },
              { keepAlive: true, noDelay: false },
            ],
      );
    },
  );

  it('are refused for what has no socket', async () => {
    const { client } = await pair(js, 'unix');
    client.destroy();
    await closed(client);
    for (const call of [getSocketOptions, (target: typeof client) => setSocketOptions(target, { sendBufferSize: 5 })]) {
      expect(() => call(client)).toThrow(expect.objectContaining({ code: 'ERR_NEARWIRE_NOT_OPEN' }) as Error);
    }
    const { openSync, closeSync } = await import('node:fs');
    const file = openSync('/dev/null', 'r');
    expect(() => getSocketOptions(file)).toThrow(expect.objectContaining({ code: 'ENOTSOCK' }) as Error);
    closeSync(file);
    expect(() => getSocketOptions(2 ** 20)).toThrow(expect.objectContaining({ code: 'EBADF' }) as Error);
    expect(() => getSocketOptions({} as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
    );
    expect(() => setSocketOptions(0, null as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
    );
  });
});
