/** The ways in which node's tests are run: what is preloaded into them, and against which of the others they count. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const PORTS_TO_PATHS = here('./ports-to-paths.cjs');
const NATIVE_SOCKET = here('../../dist/bundle/deep/net/socket.js');
const NOTE_NATIVE = here('./note-native.cjs');

/** Every program that a test starts inherits it, as it would where an operator sets it. */
function preload(...files) {
  return { NODE_OPTIONS: files.map((file) => `--require "${file}"`).join(' ') };
}

/** TCP goes the native way too. */
const TCP = { NEARWIRE_TCP: '1', NEARWIRE_TRANSPORT: 'auto' };

/** `register`: the CommonJS entry of `nearwire/register`, by default this package's own. */
export function makeModes(register = require.resolve('nearwire/register')) {
  return {
    baseline: { env: {} },
    register: { env: { ...preload(NOTE_NATIVE, register), ...TCP }, baseline: 'baseline' },
    'baseline-unix': { env: preload(PORTS_TO_PATHS) },
    'register-unix': {
      env: { ...preload(NOTE_NATIVE, register, PORTS_TO_PATHS), ...TCP, CONFORMANCE_SOCKETS: NATIVE_SOCKET },
      baseline: 'baseline-unix',
    },
  };
}
