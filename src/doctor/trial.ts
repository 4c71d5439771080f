/** A process that makes each of the engine's system calls once and prints the results: see sandbox.ts. */
import { addonStatus } from '../binding/addon.js';

const { addon, reason } = addonStatus();
if (addon === undefined) throw reason ?? new Error('the addon is not available');
process.stdout.write(JSON.stringify(addon.tryCalls(process.argv[2] ?? '')));
