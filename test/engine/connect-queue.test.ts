/** Connects to UNIX listeners whose queue is full. Linux: elsewhere a full queue can't be told from a dead listener. */
import { execFile } from 'node:child_process';
import * as http from 'node:http';
import * as net from 'node:net';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { configure, type ConnectOptions } from 'nearwire';
import { Channel } from 'nearwire/channel';
import { beforeEach, describe, expect, it } from 'vitest';
import { connectStats } from 'nearwire/tune';
import { runChild } from '../support/children.js';
import { fullServer, stoppedServer } from '../support/full-queue.js';
import { cleanup, closed, readAll, record } from '../support/sockets.js';
import { js, native, subjects, type Subject } from '../support/subjects.js';

const execute = promisify(execFile);
const MANY = 4096;
const BACKLOG = 511;
const ECHO = `socket.on('end', () => socket.end(got))`;
/** For a machine that is busy with other things. */
const LONG = 120_000;
const patient = subjects.filter(({ name }) => name === 'native');
const onLinux = describe.skipIf(process.platform !== 'linux');

interface TimeoutError extends NodeJS.ErrnoException {
  address: string;
  waited: number;
  cause: NodeJS.ErrnoException;
}

function connecting(subject: Subject, options: ConnectOptions): net.Socket {
  const socket = subject.connect(options);
  // A test's end may find it still waiting for a server that is gone.
  socket.on('error', () => undefined);
  cleanup(() => socket.destroy());
  return socket;
}

async function errorOf(socket: net.Socket): Promise<TimeoutError> {
  const [error] = (await once(socket, 'error')) as [TimeoutError];
  return error;
}

beforeEach(() => {
  // The last of the cleanups: whatever a test has left waiting is gone with its sockets.
  cleanup(() => {
    expect(connectStats().waiting).toBe(0);
  });
});

onLinux.each(patient)('connects to a server that comes late: $name', (subject) => {
  it(`all succeed, ${String(MANY)} in one tick`, { timeout: LONG }, async () => {
    const server = await stoppedServer(BACKLOG, ECHO, subject.name);
    const before = connectStats();
    const sockets = Array.from({ length: MANY }, () =>
      connecting(subject, { path: server.path, backlogTimeout: LONG }),
    );
    server.goOn();
    await Promise.all(
      sockets.map(async (socket) => {
        await once(socket, 'connect');
        socket.end('x').resume();
        await once(socket, 'end');
      }),
    );
    const { waited, timedOut } = connectStats();
    expect(waited - before.waited).toBeGreaterThanOrEqual(MANY - BACKLOG - 1);
    expect(timedOut).toBe(before.timedOut);
  });

  it('channels too', { timeout: LONG }, async () => {
    const server = await stoppedServer(BACKLOG, ECHO, subject.name);
    const { path } = server;
    const transport = subject.name as 'native' | 'js';
    const failures: Error[] = [];
    await new Promise<void>((resolve) => {
      let left = MANY;
      for (let i = 0; i < MANY; i++) {
        Channel.connect(
          { path, transport, backlogTimeout: LONG },
          {
            onConnect(channel) {
              channel.write('x');
              channel.end();
            },
            onError: (_, error) => failures.push(error),
            onClose() {
              if (--left === 0) resolve();
            },
          },
        );
      }
      server.goOn();
    });
    expect(failures).toEqual([]);
  });
});

onLinux.each(patient)('connects to a stopped server: $name', (subject) => {
  it('each fail at their deadline, with what has happened', async () => {
    const { path } = await fullServer();
    const before = connectStats();
    const began = performance.now();
    const errors = await Promise.all(
      [50, 100, 60, 50].map((backlogTimeout) => errorOf(connecting(subject, { path, backlogTimeout }))),
    );
    expect(performance.now() - began).toBeGreaterThanOrEqual(99);
    for (const [i, least] of [50, 100, 60, 50].entries()) {
      const error = errors[i] as TimeoutError;
      expect(error).toMatchObject({ code: 'ERR_NEARWIRE_BACKLOG_TIMEOUT', syscall: 'connect', address: path });
      expect(error.waited).toBeGreaterThanOrEqual(least - 1);
      expect(error.message).toBe(`connect to ${path}: the listener's queue was full for ${String(error.waited)} ms`);
      expect(error.cause).toMatchObject({ code: 'EAGAIN', syscall: 'connect', message: `connect EAGAIN ${path}` });
    }
    const { waited, timedOut, retries } = connectStats();
    expect({ waited, timedOut }).toEqual({ waited: before.waited + 4, timedOut: before.timedOut + 4 });
    expect(retries).toBeGreaterThan(before.retries);
  });

  it('get in in the order in which they came, once it goes on', async () => {
    const server = await fullServer();
    const order: number[] = [];
    const sockets = Array.from({ length: 8 }, (_, i) => {
      const socket = connecting(subject, { path: server.path, backlogTimeout: LONG });
      socket.on('connect', () => order.push(i)).resume();
      return socket;
    });
    expect(sockets.every((socket) => socket.connecting)).toBe(true);
    server.goOn();
    await Promise.all(sockets.map((socket) => once(socket, 'end')));
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('have the events of one attempt', async () => {
    const names = ['connectionAttempt', 'connectionAttemptFailed', 'connect', 'ready', 'error', 'close'];
    const server = await fullServer();
    const failing = connecting(subject, { path: server.path, backlogTimeout: 60 });
    const lost = record(failing, names);
    await closed(failing);
    const attempts = lost.filter((name) => name.startsWith('connectionAttempt:') || name === 'connectionAttempt');
    expect(attempts.length).toBeLessThanOrEqual(1);
    expect(lost.slice(attempts.length)).toEqual([
      'connectionAttemptFailed',
      'error:ERR_NEARWIRE_BACKLOG_TIMEOUT',
      'close:true',
    ]);
    const socket = connecting(subject, { path: server.path, backlogTimeout: LONG });
    const won = record(socket, names);
    const got = once(socket, 'data');
    server.goOn();
    expect(String((await got)[0])).toBe('served');
    await closed(socket);
    expect(won.slice(attempts.length)).toEqual(['connect', 'ready', 'close:false']);
  });

  it('leave the line when they are destroyed, and the next comes', async () => {
    const server = await fullServer();
    const [first, second] = [0, 1].map(() => connecting(subject, { path: server.path, backlogTimeout: LONG }));
    const events = record(first as net.Socket, ['error', 'connect', 'close']);
    expect(connectStats().waiting).toBe(2);
    first?.destroy();
    expect(connectStats().waiting).toBe(1);
    await closed(first as net.Socket);
    expect(events).toEqual(['close:false']);
    server.goOn();
    await once(second as net.Socket, 'connect');
  });

  it('write what was written before, and end', async () => {
    const server = await fullServer(1, `socket.on('end', () => socket.end(got.toUpperCase()))`);
    const socket = connecting(subject, { path: server.path, backlogTimeout: LONG, allowHalfOpen: true });
    socket.write('early ');
    socket.end('bird');
    expect(connectStats().waiting).toBe(1);
    server.goOn();
    expect(String(await readAll(socket))).toBe('EARLY BIRD');
  });

  it('fail at once with backlogTimeout 0, as on node:net', async () => {
    const { path } = await fullServer();
    const [ourError, nodesError] = await Promise.all([
      errorOf(connecting(subject, { path, backlogTimeout: 0 })),
      errorOf(net.connect(path)),
    ]);
    expect({ ...ourError, message: ourError.message }).toEqual({ ...nodesError, message: nodesError.message });
    expect(ourError.code).toBe('EAGAIN');
  });

  it('may be made by `new Socket()`, again and again', async () => {
    const server = await fullServer();
    const socket = subject.socket();
    cleanup(() => socket.destroy());
    const options: ConnectOptions = { path: server.path, backlogTimeout: 30 };
    for (let i = 0; i < 2; i++) {
      const failed = errorOf(socket);
      socket.connect(options as net.IpcSocketConnectOpts);
      expect((await failed).code).toBe('ERR_NEARWIRE_BACKLOG_TIMEOUT');
      await closed(socket);
    }
    socket.connect({ path: server.path, backlogTimeout: LONG } as net.IpcSocketConnectOpts);
    server.goOn();
    await once(socket, 'connect');
  });

  it('do not hold up those to other paths', async () => {
    const stopped = await fullServer();
    const other = await fullServer();
    const stuck = Array.from({ length: 40 }, () => connecting(subject, { path: stopped.path, backlogTimeout: LONG }));
    const socket = connecting(subject, { path: other.path, backlogTimeout: LONG });
    other.goOn();
    await once(socket, 'connect');
    expect(stuck.every(({ connecting }) => connecting)).toBe(true);
  });

  it('are told of a listener that goes away meanwhile', async () => {
    const { path, child } = await fullServer();
    const failed = errorOf(connecting(subject, { path, backlogTimeout: LONG }));
    child.kill('SIGKILL');
    expect((await failed).code).toBe('ECONNREFUSED');
  });

  it("count for the socket's own idle timeout", async () => {
    const { path } = await fullServer();
    const socket = connecting(subject, { path, backlogTimeout: LONG, timeout: 50 });
    await once(socket, 'timeout');
    expect(socket.connecting).toBe(true);
  });

  it('are made by agents', async () => {
    const server = await stoppedServer(1);
    const agent = subject.http.agent({ backlogTimeout: 50 } as http.AgentOptions);
    const requests = Array.from({ length: 3 }, () => http.get({ socketPath: server.path, agent }));
    cleanup(() => {
      agent.destroy();
      for (const request of requests) request.on('error', () => undefined).destroy();
    });
    const [error] = (await once(requests[2] as http.ClientRequest, 'error')) as [Error];
    expect(error).toMatchObject({ code: 'ERR_NEARWIRE_BACKLOG_TIMEOUT', address: server.path });
  });
});

onLinux('channels to a stopped server', () => {
  it.each(patient)('fail at their deadline: $name', async ({ name }) => {
    const { path } = await fullServer();
    const transport = name as 'native' | 'js';
    const calls = await new Promise<unknown[]>((resolve) => {
      const said: unknown[] = [];
      Channel.connect(
        { path, transport, backlogTimeout: 40 },
        {
          onConnect: () => said.push('connect'),
          onError: (_, error) => said.push(error.code, (error as TimeoutError).cause.code),
          onClose(_, hadError) {
            said.push(hadError);
            resolve(said);
          },
        },
      );
    });
    expect(calls).toEqual(['ERR_NEARWIRE_BACKLOG_TIMEOUT', 'EAGAIN', true]);
  });
});

onLinux('connects to a full queue on js', () => {
  it.each([10_000, undefined])(
    'fail at once as in node:net, whatever backlogTimeout is: %s',
    async (backlogTimeout) => {
      const { path } = await fullServer();
      const target: ConnectOptions = backlogTimeout === undefined ? { path } : { path, backlogTimeout };
      const before = connectStats();
      const made = js.socket();
      cleanup(() => made.destroy());
      const failed = [connecting(js, target), made, net.connect(path)].map(errorOf);
      made.connect(target as net.IpcSocketConnectOpts);
      expect((await Promise.all(failed)).map(({ message }) => message)).toEqual(
        Array(3).fill(`connect EAGAIN ${path}`),
      );
      expect(connectStats()).toEqual(before);
    },
  );
});

onLinux('a process with a waiting channel', () => {
  const library = new URL('../../dist/bundle/channel.js', import.meta.url).href;
  const program = (path: string, rest: string): string =>
    `const { Channel } = await import(${JSON.stringify(library)});
     const channel = Channel.connect({ path: ${JSON.stringify(path)}, backlogTimeout: 300, transport: 'native' }, {
       onTimeout: () => say('onTimeout'),
       onError: (_, { code }) => say(code),
     });
     ${rest}`;

  it.each([
    ['', ['ERR_NEARWIRE_BACKLOG_TIMEOUT']],
    ['channel.unref();', []],
    ['channel.unref(); setImmediate(() => channel.ref());', ['ERR_NEARWIRE_BACKLOG_TIMEOUT']],
    ['channel.setTimeout(30);', ['onTimeout', 'ERR_NEARWIRE_BACKLOG_TIMEOUT']],
  ])('is told, and kept alive, as it asks: %s', async (rest, said) => {
    const { path } = await fullServer();
    expect(await runChild('native', program(path, rest))).toMatchObject({ code: 0, said, stderr: '' });
  });
});

onLinux.each(patient)('a process with a waiting connect: $name', ({ name }) => {
  const program = (path: string, rest: string): string =>
    `const socket = connect({ path: ${JSON.stringify(path)}, backlogTimeout: 300 });
     socket.on('error', (error) => say(error.code));
     ${rest}`;

  it('lives until it has come to something', async () => {
    const { path } = await fullServer();
    const result = await runChild(name, program(path, ''));
    expect(result).toMatchObject({ code: 0, said: ['ERR_NEARWIRE_BACKLOG_TIMEOUT'], stderr: '' });
  });

  it('ends if the socket is not to keep it alive', async () => {
    const { path } = await fullServer();
    const result = await runChild(name, program(path, 'socket.unref();'));
    expect(result).toMatchObject({ code: 0, said: [], stderr: '' });
  });

  it('lives if that is taken back', async () => {
    const { path } = await fullServer();
    const result = await runChild(name, program(path, 'socket.unref(); setImmediate(() => socket.ref());'));
    expect(result).toMatchObject({ code: 0, said: ['ERR_NEARWIRE_BACKLOG_TIMEOUT'], stderr: '' });
  });

  it('takes the default from the environment or configure()', async () => {
    const { path } = await fullServer();
    const run = `connect(${JSON.stringify(path)}).on('error', (error) => say(error.code));`;
    process.env['NEARWIRE_BACKLOG_TIMEOUT'] = '30';
    cleanup(() => delete process.env['NEARWIRE_BACKLOG_TIMEOUT']);
    expect((await runChild(name, run)).said).toEqual(['ERR_NEARWIRE_BACKLOG_TIMEOUT']);
    process.env['NEARWIRE_BACKLOG_TIMEOUT'] = '0';
    expect((await runChild(name, run)).said).toEqual(['EAGAIN']);
    process.env['NEARWIRE_BACKLOG_TIMEOUT'] = 'soon';
    const refused = `try { connect(${JSON.stringify(path)}); } catch (error) { say(error.code); }`;
    expect((await runChild(name, refused)).said).toEqual(['ERR_INVALID_ARG_VALUE']);
  });
});

onLinux('an unchanged program under nearwire/register', () => {
  const entry = fileURLToPath(new URL('../../dist/bundle/register.js', import.meta.url));
  const program = `require('net').connect(process.argv[1]).on('error', ({ code }) => console.log(code));`;

  it('waits as well, as long as the environment says', async () => {
    const { path } = await fullServer();
    const run = async (backlogTimeout: string): Promise<string> => {
      const env = { ...process.env, NEARWIRE_BACKLOG_TIMEOUT: backlogTimeout };
      const { stdout } = await execute(process.execPath, ['--require', entry, '-e', program, path], { env });
      return stdout.trim();
    };
    expect(await run('40')).toBe('ERR_NEARWIRE_BACKLOG_TIMEOUT');
    expect(await run('0')).toBe('EAGAIN');
  });
});

describe('backlogTimeout', () => {
  it.each([js, native])('is checked at the call: $name', (subject) => {
    const calls = [
      (backlogTimeout: number) => subject.connect({ path: '/nowhere', backlogTimeout }),
      (backlogTimeout: number) => subject.connect({ port: 1, backlogTimeout }),
      (backlogTimeout: number) => subject.http.agent({ backlogTimeout } as http.AgentOptions),
      (backlogTimeout: number) =>
        Channel.connect({ path: '/nowhere', transport: subject.name as 'native' | 'js', backlogTimeout }, {}),
      (backlogTimeout: number) => {
        configure({ backlogTimeout });
      },
    ];
    for (const call of calls) {
      for (const wrong of [-1, 0.5, 2 ** 31, Number.NaN]) {
        expect(() => {
          call(wrong);
        }).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }) as Error);
      }
      expect(() => {
        call('1' as unknown as number);
      }).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error);
    }
  });
});
