/**
 * Random programs of channels: whatever is written, in whichever form, and whoever reads it, or does not, each byte must
 * come where it belongs, and each handler be called as it is said.
 *
 * `NEARWIRE_CHANNEL_PROGRAMS` is the number of programs (default 300), `NEARWIRE_CHANNEL_SEED` the first one's seed.
 */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { table } from '../support/channel-model/content.js';
import { programOf } from '../support/channel-model/program.js';
import { PATIENCE, runProgram } from '../support/channel-model/run.js';
import { channelWays } from '../support/channels.js';
import { cleanup, temporaryDirectory } from '../support/sockets.js';
import { onUncaught } from '../support/uncaught.js';

const PROGRAMS = Number(process.env['NEARWIRE_CHANNEL_PROGRAMS'] ?? 300);
const FIRST_SEED = Number(process.env['NEARWIRE_CHANNEL_SEED'] ?? 1);
const MILLIS_PER_PROGRAM = 2000;

describe.each(channelWays)('random programs of $transport channels over $family', ({ transport, family }) => {
  const count = Math.ceil(PROGRAMS / channelWays.length);

  it(
    'go as they should',
    async () => {
      const directory = temporaryDirectory();
      const path = join(directory, 'table');
      writeFileSync(path, table);
      const descriptor = openSync(path, 'r');
      cleanup(() => {
        closeSync(descriptor);
      });
      // No kernel has names of this kind at hand.
      const slowPath = process.platform === 'linux' ? `/proc/self/root${path}` : path;
      const uncaught: string[] = [];
      onUncaught(({ message }) => uncaught.push(message));
      const takeUncaught = (): string[] => uncaught.splice(0);
      for (let i = 0; i < count; i++) {
        const program = programOf(FIRST_SEED + i, transport, family);
        await runProgram(program, { directory, file: { path, slowPath, descriptor }, takeUncaught });
      }
      expect(uncaught).toEqual([]);
    },
    // A program that hangs is told of before.
    2 * PATIENCE + count * MILLIS_PER_PROGRAM,
  );
});
