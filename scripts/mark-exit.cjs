// Preloaded by test-asan.mjs. process.exit() and uncaught exceptions end a process without the environment's clean-up, so
// that nothing is freed: such processes are marked, and their leaks ignored. All others must have freed everything.
const { writeFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

const folder = process.env.NEARWIRE_EXIT_MARKS;
if (isMainThread && folder) {
  const mark = () => writeFileSync(`${folder}/exit.${process.pid}`, '');
  const reallyExit = process.reallyExit;
  process.reallyExit = (code) => {
    mark();
    reallyExit.call(process, code);
  };
  process.on('uncaughtExceptionMonitor', mark);
}
