import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const built = (file: string): string => fileURLToPath(new URL(`dist/bundle/${file}.js`, import.meta.url));

/** What carries bytes, and what stands on it: `npm test`. Folders of src. */
const CORE = [
  'binding',
  'channel',
  'engine',
  'entries',
  'exchange',
  'files',
  'http',
  'memory',
  'net',
  'parity',
  'register',
];
/**
 * Tests of the benchmark, of `nearwire cost` and of tuning: they measure times, fill the machine, or count what all of it does. And
 * that of how a cluster spreads connections: a worker that gets no processor is passed over.
 */
const MEASURING = ['test/bench/**/*.test.ts', 'test/cluster/balance.test.ts'];
/** Most of the others wait more than they compute; not so under a sanitizer, which sets it (scripts/test-asan.mjs). */
const FILES_AT_A_TIME = Number(process.env['NEARWIRE_TEST_FILES_AT_A_TIME'] ?? 2 * availableParallelism());

export default defineConfig({
  resolve: {
    // What is tested is the compiled package, as users get it.
    alias: [
      { find: /^nearwire$/, replacement: built('index') },
      { find: /^nearwire\/channel$/, replacement: built('channel') },
      { find: /^nearwire\/http$/, replacement: built('http') },
      { find: /^nearwire\/internal$/, replacement: built('internal') },
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
    server: { deps: { external: [/\/dist\/(src|bundle)\//] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'core',
          include: CORE.map((folder) => `test/${folder}/**/*.test.ts`),
          maxWorkers: FILES_AT_A_TIME,
        },
      },
      {
        extends: true,
        test: {
          name: 'more',
          // Not by `exclude`: that would be in the place of what the command line excludes.
          include: [
            `test/!(${['bench', 'cluster', ...CORE].join('|')})/**/*.test.ts`,
            'test/cluster/!(balance).test.ts',
          ],
          maxWorkers: FILES_AT_A_TIME,
        },
      },
      // What measures has the machine for itself.
      {
        extends: true,
        test: {
          name: 'measuring',
          include: MEASURING,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
