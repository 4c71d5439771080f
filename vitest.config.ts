import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const built = (file: string): string => fileURLToPath(new URL(`dist/src/${file}.js`, import.meta.url));

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
    include: ['test/**/*.test.ts'],
    // A process for each file: a crash of the addon then names its file, and descriptors can be counted.
    pool: 'forks',
    execArgv: ['--expose-gc'],
    testTimeout: 30_000,
    retry: 0,
    server: { deps: { external: [/\/dist\/src\//] } },
  },
});
