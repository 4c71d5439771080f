/**
 * The micro cases: `main.js --operation NAME --seconds S` tells the time of one operation in nanoseconds. tinybench
 * times batches of them, as one is shorter than the clock's step.
 */
import { parseArgs } from 'node:util';

import { Bench } from 'tinybench';

import { connectNative } from '../../src/channel/native.js';
import { addonStatus, Completion, COMPLETION_WORDS, type NativeAddon } from '../../src/native.js';
import { tell } from '../work/control.js';
import { createSilentEngine } from './silent-engine.js';

interface Operation {
  /** How many operations one call of `run` does. */
  readonly batch: number;
  run(): void;
}

const MESSAGE_BYTES = 64;
const CROSSINGS = 1000;
/** As many as `pipeline` has outstanding: what one turn sees there. */
const MESSAGES = 256;
const CHANNELS = 64;

/** From JS into the addon and back. */
function crossing(addon: NativeAddon): Operation {
  return {
    batch: CROSSINGS,
    run() {
      for (let left = CROSSINGS; left > 0; left--) addon.noop();
    },
  };
}

/** `channel.write()` of 64 bytes and its share of a hand-over, without the system call. */
function write(addon: NativeAddon): Operation {
  const { engine } = createSilentEngine(addon);
  const channel = connectNative(engine, { path: '/nowhere' }, {});
  const message = Buffer.alloc(MESSAGE_BYTES, 'x');
  return {
    batch: MESSAGES,
    run() {
      for (let left = MESSAGES; left > 0; left--) channel.write(message);
      engine.handOver();
    },
  };
}

/** Of a turn's batch, one message: from the completion's words to the handler of its channel. */
function turn(addon: NativeAddon): Operation {
  const silent = createSilentEngine(addon);
  let bytes = 0;
  const handlers = {
    onData(_channel: unknown, _data: Buffer, start: number, end: number): void {
      bytes += end - start;
    },
  };
  for (let id = 0; id < CHANNELS; id++) connectNative(silent.engine, { path: '/nowhere' }, handlers);
  const { completions } = silent.native.layout;
  for (let i = 0; i < MESSAGES; i++) {
    completions.set([i % CHANNELS, Completion.Lent, i * MESSAGE_BYTES, MESSAGE_BYTES], i * COMPLETION_WORDS);
  }
  return {
    batch: MESSAGES,
    run() {
      const before = bytes;
      silent.turn(MESSAGES);
      if (bytes - before !== MESSAGES * MESSAGE_BYTES) throw new Error('not all messages reached their handlers');
    },
  };
}

const OPERATIONS: Readonly<Record<string, (addon: NativeAddon) => Operation>> = { crossing, write, turn };

const { values } = parseArgs({ options: { operation: { type: 'string' }, seconds: { type: 'string' } } });
const make = OPERATIONS[values.operation ?? ''];
const { addon, reason } = addonStatus();
if (make === undefined) throw new TypeError(`--operation is one of ${Object.keys(OPERATIONS).join(', ')}`);
if (addon === undefined) throw reason ?? new Error('the addon did not load');

const operation = make(addon);
const bench = new Bench({ time: Number(values.seconds) * 1e3, warmupTime: 100, throws: true });
bench.add('operation', () => {
  operation.run();
});
const result = bench.runSync()[0]?.result;
if (result?.state !== 'completed') throw new Error('tinybench did not complete');
tell({ result: { time: (result.latency.p50 * 1e6) / operation.batch } });
