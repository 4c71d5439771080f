/** Nothing that ends a process, a worker or a channel at a bad moment may crash, hang, or lose what node would not lose. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Channel, ChannelServer } from 'nearwire/channel';
import { socketPath } from '../support/sockets.js';

const library = new URL('../../dist/bundle/channel.js', import.meta.url).href;

/** What a child or worker does, step by step: each ends with `step(n)`. Needs `path`, `Channel`, `ChannelServer`. */
const PROGRAM = `
  const server = ChannelServer.listen({ path, transport: 'native' }, {
    onListening() { step(1); go(); },
    onConnection(channel) { step(3); channel.write('hello'); step(4); },
    onData(channel, data, start, end) { step(6); channel.write(data, start, end); channel.write(Buffer.alloc(500000)); step(7); },
    onClose() { step(11); server.close(); },
    onError() {},
    onServerClose() { step(12); },
  });
  step(0);
  function go() {
    Channel.connect({ path, transport: 'native' }, {
      onConnect(channel) { channel.write(Buffer.alloc(300000)); step(2); },
      onData(channel, data, start) { step(5); if (channel.counters.bytesRead > 200000) { channel.pause(); step(8); channel.end(); step(9); setImmediate(() => { channel.destroy(); step(10); }); } },
      onError() {},
    });
  }
`;
const LAST_STEP = 12;
const steps = Array.from({ length: LAST_STEP + 1 }, (_, n) => n);

interface End {
  code: number | null;
  signal: string | null;
  stderr: string;
  stdout: string;
}

async function run(code: string, words: string[] = []): Promise<End> {
  const head = `import { Channel, ChannelServer } from ${JSON.stringify(library)};\n`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', head + code, '--', ...words]);
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  let stderr = '';
  let stdout = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  const [exit, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  return { code: exit, signal, stderr, stdout };
}

describe('a process that ends at any step', () => {
  it('runs all steps and leaves by itself', async () => {
    const end = await run(
      `const path = ${JSON.stringify(socketPath())}; const seen = new Set();
       const step = (n) => { seen.add(n); };
       process.on('exit', () => console.log([...seen].sort((a, b) => a - b).join()));
       ${PROGRAM}`,
    );
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '', stdout: `${steps.join()}\n` });
  });

  it.each(steps)('by process.exit() at step %i', async (last) => {
    const end = await run(
      `const path = ${JSON.stringify(socketPath())};
       const step = (n) => { if (n === ${String(last)}) process.exit(7); };
       ${PROGRAM}`,
    );
    expect(end).toMatchObject({ code: 7, signal: null, stderr: '' });
  });

  it.each(steps)('by an exception at step %i', async (last) => {
    const end = await run(
      `const path = ${JSON.stringify(socketPath())};
       const step = (n) => { if (n === ${String(last)}) throw new Error('step went wrong'); };
       ${PROGRAM}`,
    );
    expect(end).toMatchObject({ code: 1, signal: null });
    expect(end.stderr).toContain('step went wrong');
  });
});

describe('a worker that is terminated at any step', () => {
  it.each(steps)('step %i', async (last) => {
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const code = `
      import { workerData, parentPort } from 'node:worker_threads';
      import { Channel, ChannelServer } from ${JSON.stringify(library)};
      const path = workerData;
      const gate = new Int32Array(new SharedArrayBuffer(4));
      const step = (n) => { if (n === ${String(last)}) { parentPort.postMessage('here'); Atomics.wait(gate, 0, 0, 2); } };
      ${PROGRAM}`;
    const before = descriptors();
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
      workerData: socketPath(),
    });
    await once(worker, 'message');
    await worker.terminate();
    // The worker's own loop descriptors are closed by node a moment after 'exit'.
    await expect.poll(descriptors).toBeLessThanOrEqual(before);
  });
});

describe('handlers', () => {
  it('that throw anything do not keep the rest of the turn from its handlers', async () => {
    const end = await run(`
      const path = ${JSON.stringify(socketPath())};
      const seen = [];
      process.on('uncaughtException', (error) => { seen.push(error === null ? 'null' : error.message); });
      let got = 0;
      const server = ChannelServer.listen({ path, transport: 'native' }, {
        onListening() {
          for (let i = 0; i < 5; i++) Channel.connect({ path, transport: 'native' }, { onConnect(channel) { channel.write('x'); } });
        },
        onData(channel) {
          got++;
          channel.destroy();
          if (got === 5) server.close();
          if (got === 2) throw null;
          if (got === 3) throw new Error('three');
        },
      });
      process.on('exit', () => console.log(got, seen.join()));`);
    expect(end).toMatchObject({ code: 0, stderr: '', stdout: '5 null,three\n' });
  });

  it('that collect garbage and are dropped keep open channels working', async () => {
    const end = await run(`
      const path = ${JSON.stringify(socketPath())};
      let rounds = 0;
      const server = ChannelServer.listen({ path, transport: 'native' }, { onData(channel, data, start, end) { gc(); channel.write(data, start, end); } });
      const connect = () => Channel.connect({ path, transport: 'native' }, {
        onConnect(channel) { channel.write(Buffer.alloc(200000)); gc(); },
        onData(channel) { gc(); if (channel.counters.bytesRead < 200000) return; channel.destroy(); if (++rounds < 5) setImmediate(connect); else server.close(); },
      });
      connect();
      process.on('exit', () => console.log(rounds));`);
    expect(end).toMatchObject({ code: 0, stderr: '', stdout: '5\n' });
  });
});

describe('what was written', () => {
  /** What a server here gets from a child that runs `code` on a connected `channel`. */
  async function receivedFrom(code: string): Promise<string> {
    const path = socketPath();
    let text = '';
    const closed = new Promise<void>((resolve) => {
      const server = ChannelServer.listen(
        { path },
        {
          onData(_channel, data, start, end) {
            text += data.toString('latin1', start, end);
          },
          onClose() {
            server.close();
            resolve();
          },
        },
      );
    });
    await run(
      `Channel.connect({ path: ${JSON.stringify(path)}, transport: 'native' }, { onConnect(channel) { ${code} }, onError() {} });`,
    );
    await closed;
    return text;
  }

  it('reaches the peer though the process exits at once', async () => {
    expect(await receivedFrom(`channel.write('bye'); process.exit();`)).toBe('bye');
  });

  it('reaches the peer though an exception ends the process', async () => {
    expect(await receivedFrom(`channel.write('bye'); throw new Error('x');`)).toBe('bye');
  });
});

it('a buffer that is detached while it is lent fails its channel, not the process', async () => {
  const path = socketPath();
  let reader: Channel | undefined;
  const server = ChannelServer.listen(
    { path },
    {
      onConnection(channel) {
        channel.pause();
        reader = channel;
      },
    },
  );
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
    Channel.connect(
      { path, transport: 'native' },
      {
        onConnect(channel) {
          const bytes = new Uint8Array(4_000_000);
          expect(channel.write(bytes)).toBe(false);
          structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
          // The reader makes room, and there is nothing to send any more.
          setImmediate(() => reader?.resume());
        },
        onError(_channel, failure) {
          resolve(failure);
        },
      },
    );
  });
  server.close();
  expect(error.code).toBe('EFAULT');
});
