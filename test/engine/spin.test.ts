/** `spin`: the loop stays awake for a while after each turn, and neither a process nor its timers notice. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { configure, type Settings } from 'nearwire';
import { ChannelServer, configure as configureOfChannels } from 'nearwire/channel';
import { childResult, startChild, type ChildResult } from '../support/children.js';
import { requireOrSkip } from '../support/requirements.js';
import { socketPath } from '../support/sockets.js';

const MAX_SPIN = 1000;
const dist = new URL('../../dist/bundle/', import.meta.url).href;

/**
 * For a child or a worker. `pingPong(rounds, onMessage)` exchanges messages with a server of its own on `path`, and
 * resolves with all closed; `counters()` are the engine's.
 */
const TOOLS = `
  const { configure } = await import('${dist}index.js');
  const { Channel, ChannelServer } = await import('${dist}channel.js');
  const { getEngine, madeEngine } = await import('${dist}deep/engine/thread-engine.js');
  const { ENGINE_COUNTERS } = await import('${dist}deep/binding/addon.js');
  const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));
  const counters = () => {
    const values = getEngine().native.counters();
    return Object.fromEntries(ENGINE_COUNTERS.map((name, i) => [name, values[i]]));
  };
  const pingPong = (rounds, onMessage = () => {}) => new Promise((resolve) => {
    let left = rounds;
    const server = ChannelServer.listen({ path, transport }, {
      onListening() {
        Channel.connect({ path, transport }, {
          onConnect(channel) { channel.write('x'); },
          onData(channel) {
            onMessage();
            if (--left > 0) channel.write('x'); else channel.destroy();
          },
        });
      },
      onData(channel, data, start, end) { channel.write(data, start, end); },
      onClose() { server.close(); },
      onServerClose() { resolve(); },
    });
  });
  /** Until the spin that follows this turn is over: it begins when the turn has ended. */
  const spinEnds = async () => {
    do await turnOfLoop(); while (isSpinning(counters()));
  };
  const isSpinning = (c) => c.spins > c.spinHits + c.spinMisses;
`;

/** Runs `code` with the tools, on a transport, with this NEARWIRE_SPIN. */
function run(
  code: string,
  spin: string | undefined,
  { path = socketPath(), transport = 'native' }: { path?: string; transport?: 'native' | 'js' } = {},
): Promise<ChildResult> {
  const head = `const path = ${JSON.stringify(path)}, transport = ${JSON.stringify(transport)};`;
  const before = process.env['NEARWIRE_SPIN'];
  if (spin !== undefined) process.env['NEARWIRE_SPIN'] = spin;
  try {
    return childResult(startChild(transport, head + TOOLS + code));
  } finally {
    if (before === undefined) delete process.env['NEARWIRE_SPIN'];
    else process.env['NEARWIRE_SPIN'] = before;
  }
}

describe('configure', () => {
  afterEach(() => {
    configure({ spinMicroseconds: 0 });
  });

  it('takes whole microseconds up to its maximum, and leaves what is not named', () => {
    for (const settings of [
      { spinMicroseconds: 0 },
      { spinMicroseconds: 50 },
      { spinMicroseconds: MAX_SPIN },
      { spinMicroseconds: undefined },
      {},
    ]) {
      configure(settings);
    }
    expect(configureOfChannels).toBe(configure);
  });

  it.each([
    [{ spinMicroseconds: '50' }, 'ERR_INVALID_ARG_TYPE'],
    [{ spinMicroseconds: null }, 'ERR_INVALID_ARG_TYPE'],
    [{ spinMicroseconds: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ spinMicroseconds: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ spinMicroseconds: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ spinMicroseconds: MAX_SPIN + 1 }, 'ERR_OUT_OF_RANGE'],
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    [50, 'ERR_INVALID_ARG_TYPE'],
  ])('refuses %o', (settings, code) => {
    expect(() => {
      configure(settings as Settings);
    }).toThrow(expect.objectContaining({ code }) as Error);
  });
});

describe('on js', () => {
  it('nobody asks for a spin, and no engine is made for it', async () => {
    const end = await run(
      `configure({ spinMicroseconds: 50 }); await pingPong(20); say(madeEngine() === undefined);`,
      'fast',
      {
        transport: 'js',
      },
    );
    expect(end).toMatchObject({ code: 0, said: [true], stderr: '' });
  });
});

describe.skipIf(requireOrSkip('addon') === undefined)('the environment', () => {
  const TELL = `
    try { await pingPong(20); say(counters().spins); } catch (error) { say([error.code, error.message]); }`;

  it.each([undefined, '', '0'])('without a spin (%o)', async (spin) => {
    expect(await run(TELL, spin)).toMatchObject({ code: 0, said: [0], stderr: '' });
  });

  it.each(['-1', '1.5', 'fast', '1001', '0x10', ' 5'])('with what is no spin (%o)', async (spin) => {
    const { said } = await run(TELL, spin);
    const reason = `The argument 'NEARWIRE_SPIN' must be a whole number from 0 to 1000. Received '${spin}'`;
    expect(said).toEqual([['ERR_INVALID_ARG_VALUE', reason]]);
  });

  it('sets it, and configure() goes before it, at any time', async () => {
    const end = await run(
      `await pingPong(20);
       await spinEnds();
       const first = counters().spins;
       configure({ spinMicroseconds: 0 });
       await pingPong(20);
       say([first > 0, counters().spins === first]);
       configure({ spinMicroseconds: ${String(MAX_SPIN)} });
       await pingPong(20);
       say(counters().spins > first);`,
      '20',
    );
    expect(end).toMatchObject({ code: 0, said: [[true, true], true], stderr: '' });
  });

  it('is not asked where configure() has been called', async () => {
    const end = await run(`configure({ spinMicroseconds: 0 }); ${TELL}`, 'fast');
    expect(end).toMatchObject({ code: 0, said: [0], stderr: '' });
  });
});

describe.skipIf(requireOrSkip('addon') === undefined)('a loop that spins', () => {
  it('polls without blocking while an answer is on its way', async () => {
    const path = socketPath();
    const server = ChannelServer.listen(
      { path, transport: 'native' },
      {
        onData(channel, data, start, end) {
          channel.write(data, start, end);
        },
      },
    );
    // An answer may be there at the first poll, and something else may wake a loop that blocks: but not thrice in a row.
    const end = await run(
      `let polls = 0;
       Channel.connect({ path, transport: 'native' }, {
         onConnect(channel) { polls = counters().spinPolls; channel.write('x'); },
         onData(channel) {
           const before = polls;
           polls = counters().spinPolls;
           if (polls - before < 3) channel.write('x'); else channel.destroy();
         },
       });`,
      String(MAX_SPIN),
      { path },
    );
    server.close();
    expect(end).toMatchObject({ code: 0, stderr: '' });
  });

  it('ends with its process, in the middle of a spin', async () => {
    const end = await run(
      `process.on('exit', () => { const c = counters(); say(isSpinning(c)); });
       await pingPong(20);`,
      String(MAX_SPIN),
    );
    expect(end).toMatchObject({ code: 0, said: [true], stderr: '' });
  });

  it('sleeps once nothing comes', async () => {
    // The stretch lasts as long as another process takes to start and end: thousands of polls, did the loop not sleep.
    const end = await run(
      `import { spawn } from 'node:child_process';
       await pingPong(20);
       await spinEnds();
       const before = counters();
       await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
       const after = counters();
       say([before.spinMisses > 0, after.spinPolls - before.spinPolls, after.spins - before.spins]);`,
      String(MAX_SPIN),
    );
    expect(end).toMatchObject({ code: 0, said: [[true, 0, 0]], stderr: '' });
  });

  it('rests while its spins end without an event', async () => {
    // Each message comes when the spin before it is over.
    const end = await run(
      `let go;
       const server = ChannelServer.listen({ path, transport: 'native' }, { onData() { go(); }, onClose() { server.close(); } });
       const channel = await new Promise((resolve) => {
         Channel.connect({ path, transport: 'native' }, { onConnect: resolve });
       });
       const TURNS = 100;
       const before = counters();
       for (let i = 0; i < TURNS; i++) {
         await spinEnds();
         await new Promise((resolve) => { go = resolve; channel.write('x'); channel.flush(); });
       }
       await spinEnds();
       const after = counters();
       say([after.completions - before.completions, after.spins - before.spins < TURNS / 4]);
       channel.destroy();`,
      '20',
    );
    expect(end).toMatchObject({ code: 0, said: [[100, true]], stderr: '' });
  });

  it('runs timers when they are due', async () => {
    const end = await run(
      `const DELAY = 5;
       let fired = false;
       let late = 0;
       // The clock of timers counts whole milliseconds, and the loop looks at it once a turn.
       const due = performance.now() + DELAY + 2;
       setTimeout(() => { fired = true; }, DELAY);
       while (!fired) await pingPong(100, () => { if (!fired && performance.now() >= due) late++; });
       const c = counters();
       say([late <= 2, c.spins > 0]);`,
      String(MAX_SPIN),
    );
    expect(end).toMatchObject({ code: 0, said: [[true, true]], stderr: '' });
  });

  it('is that of the worker which asked for it', async () => {
    const worker = new Worker(
      new URL(
        `data:text/javascript,${encodeURIComponent(
          `import { parentPort, workerData as path } from 'node:worker_threads'; const transport = 'native'; ${TOOLS}
           configure({ spinMicroseconds: 50 });
           await pingPong(100);
           parentPort.postMessage(counters());`,
        )}`,
      ),
      { workerData: socketPath() },
    );
    const exit = once(worker, 'exit');
    const [counted] = (await once(worker, 'message')) as [{ spins: number }];
    expect(counted.spins).toBeGreaterThan(0);
    expect(await exit).toEqual([0]);
    const end = await run(
      `import { Worker } from 'node:worker_threads';
       const inWorker = "const { configure } = await import('${dist}index.js'); configure({ spinMicroseconds: 50 });";
       await once(new Worker(new URL('data:text/javascript,' + encodeURIComponent(inWorker))), 'exit');
       await pingPong(20);
       say(counters().spins);`,
      undefined,
    );
    expect(end).toMatchObject({ code: 0, said: [0], stderr: '' });
  });

  it('changes nothing of a worker that is terminated meanwhile', async () => {
    const worker = new Worker(
      new URL(
        `data:text/javascript,${encodeURIComponent(
          `import { parentPort, workerData as path } from 'node:worker_threads'; const transport = 'native'; ${TOOLS}
           configure({ spinMicroseconds: ${String(MAX_SPIN)} });
           let told = false;
           await pingPong(Infinity, () => { if (!told) parentPort.postMessage(told = true); });`,
        )}`,
      ),
      { workerData: socketPath() },
    );
    await once(worker, 'message');
    expect(await worker.terminate()).toBe(1);
  });
});
