// Terminates one Worker after the other, each within a later call of Node-API: see test/engine/worker-terminated.test.ts.
// usage: terminate-workers.mjs LIBRARY FOLDER FIRST LAST STEP    Says how many were, and how the last one ended.
import { existsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextIteration } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const [library, folder, ...numbers] = process.argv.slice(2);
const [first, last, step] = numbers.map(Number);
const reached = join(folder, 'reached');

async function terminateWithin(call) {
  Object.assign(process.env, { NEARWIRE_TERMINATE_AT: String(call), NEARWIRE_TERMINATE_FILE: reached });
  const workerData = { library, path: join(folder, `${call}.sock`) };
  const worker = new Worker(new URL('worker-tour.mjs', import.meta.url), { workerData });
  let end;
  worker.on('message', (said) => (end = said)).on('error', (error) => (end = String(error)));
  let isRunning = true;
  const exit = new Promise((resolve) => worker.on('exit', resolve)).then(() => (isRunning = false));
  while (isRunning && !existsSync(reached)) await nextIteration();
  if (isRunning) {
    unlinkSync(reached);
    await worker.terminate();
    end = 'terminated';
  }
  await exit;
  return end;
}

let terminated = 0;
let end = 'terminated';
for (let call = first; call <= last && end === 'terminated'; call += step) {
  end = await terminateWithin(call);
  if (end === 'terminated') terminated++;
}
console.log(JSON.stringify({ terminated, end }));
