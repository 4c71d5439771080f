import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const built = (file: string): string => fileURLToPath(new URL(`dist/src/${file}.js`, import.meta.url));

/** Tests of the benchmark, of `nearwire cost` and of tuning: they take times, fill the machine, or count what all of it does. */
const MEASURING = ['bench-*', 'cli-bench*', 'cli-cost*', 'cli-tune*', 'cost-*'].join('|');
const FILES_AT_A_TIME = availableParallelism() + 1;

export default defineConfig({
  resolve: {
    // What is tested is the compiled package, as users get it.
    alias: [
      { find: /^nearwire$/, replacement: built('index') },
      { find: /^nearwire\/channel$/, replacement: built('channel') },
      { find: /^nearwire\/http$/, replacement: built('http') },
      { find: /^nearwire\/metrics$/, replacement: built('metrics') },
      { find: /^nearwire\/tune$/, replacement: built('tune') },
      { find: /^nearwire\/uwsgi$/, replacement: built('uwsgi') },
      { find: /^nearwire\/register$/, replacement: built('register') },
    ],
  },
  test: {
    // A process for each file: a crash of the addon then names its file, and descriptors can be counted.
    pool: 'forks',
    execArgv: ['--expose-gc'],
    testTimeout: 120_000,
    retry: 0,
    server: { deps: { external: [/\/dist\/src\//] } },
    projects: [
      // Most of these wait more than they compute.
      {
        extends: true,
        test: { name: 'suite', include: [`test/**/!(${MEASURING}).test.ts`], maxWorkers: FILES_AT_A_TIME },
      },
      // What measures has the machine for itself.
      {
        extends: true,
        test: {
          name: 'measuring',
          include: [`test/(${MEASURING}).test.ts`],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
