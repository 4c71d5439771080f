// Runs the core of the suite on the addon built on the portable socket layer (build-variant.mjs posix).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CORE } from './core-tests.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = ['node_modules/vitest/vitest.mjs', 'run', ...CORE, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, words, {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    NEARWIRE_ADDON: `${root}build-variants/posix/build/Release/nearwire.node`,
    // The other subjects are the same as in the run with this system's addon.
    NEARWIRE_TEST_SUBJECTS: 'native',
  },
});
process.exit(status ?? 1);
