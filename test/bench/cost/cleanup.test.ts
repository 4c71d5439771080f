/** Whatever ends a run of `nearwire cost`, no process and no file of it is left. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

import { readProcesses, titleOf } from '../../../bench/process-table.js';
import { stackNamed } from '../../../bench/cost/stacks/index.js';
import { heard } from '../../support/children.js';
import { isMissing, running } from '../../support/cost.js';
import { cleanup, nextTurn, temporaryDirectory } from '../../support/sockets.js';

const built = (file: string): string => new URL(`../../../bench/dist/cost/${file}.js`, import.meta.url).href;
/** Servers of each kind: with masters and workers, with a daemon of another user, with a virtual machine of its own. */
const STACKS = ['nginx-uwsgi-unix', 'apache-daemon', 'yaws', 'nginx-node-unix-close', 'node-unix'].filter(
  (name) => !isMissing(stackNamed(name)),
);

/** A run that starts stacks, says what it has started, and goes on until it is ended. Words: stacks, the user's app. */
const RUN = `
import { findPrograms } from ${JSON.stringify(built('programs'))};
import { Processes } from ${JSON.stringify(built('processes'))};
import { stackNamed } from ${JSON.stringify(built('stacks/index'))};
const abort = new AbortController();
process.on('SIGINT', () => abort.abort(new Error('ended by SIGINT')));
const processes = await Processes.start(abort.signal);
const context = { processes, programs: await findPrograms(), wsgi: undefined, app: process.argv[2], signal: abort.signal };
const all = [];
for (const name of process.argv[1].split(',')) {
  const { app } = context;
  all.push(await stackNamed(name).start({ ...context, app: name === 'node-unix' ? app : undefined }));
}
process.on('SIGUSR2', () => process.exit(3));
process.stdin.on('data', (word) => { throw new Error('thrown as told'); });
const pids = all.flatMap((stack) => [...stack.pids('front'), ...stack.pids('app')]);
process.stdout.write(JSON.stringify({ folder: processes.folder, pids }) + '\\n');
try {
  await new Promise((resolve, reject) => {
    abort.signal.addEventListener('abort', () => reject(abort.signal.reason));
    setInterval(() => {}, 1e6);
  });
} catch (error) {
  await processes.end();
  process.exit(error.message === 'ended by SIGINT' ? 130 : 1);
}
`;

interface Run {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly pids: readonly number[];
  readonly keeper: number;
}

/** Its Node application has started a process that has left its session, and whose parent has ended: it is among the pids. */
async function startRun(user?: number): Promise<Run> {
  const own = temporaryDirectory();
  const [app, pidFile] = [join(own, 'app.mjs'), join(own, 'pid')];
  chmodSync(own, 0o777);
  const stray = `echo $$ > ${pidFile}.new && mv ${pidFile}.new ${pidFile} && exec sleep 1000`;
  writeFileSync(
    app,
    `import { spawnSync } from 'node:child_process';
     spawnSync('sh', ['-c', ${JSON.stringify(`setsid sh -c '${stray}' > /dev/null 2>&1 &`)}]);
     export default (request, response) => response.end();`,
  );
  const child = spawn(process.execPath, ['--input-type=module', '-e', RUN, STACKS.join(), app], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A Ctrl-C goes to the whole group of what runs in a terminal.
    detached: true,
    ...(user !== undefined && { uid: user, gid: user, env: { ...process.env, HOME: '/' } }),
  });
  child.stderr.resume();
  cleanup(() => child.kill('SIGKILL'));
  const { folder, pids } = (await heard(child)) as { folder: string; pids: number[] };
  const keeper = readProcesses().find(({ pid, parent }) => parent === child.pid && titleOf(pid).includes('keeper'));
  while (!existsSync(pidFile)) await nextTurn();
  const left = Number(readFileSync(pidFile, 'utf8'));
  expect(pids).not.toContain(left);
  // Erlang has helpers that come and go.
  expect(running([...pids, left]).length).toBeGreaterThan(STACKS.length + 1);
  return { child, folder, pids: [...pids, left], keeper: keeper?.pid ?? 0 };
}

/** The keeper has the run's stderr: when that is closed both are through. */
async function ended({ child }: Run): Promise<number | string | null> {
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return signal ?? code;
}

function nothingLeft({ folder, pids, keeper }: Run): void {
  expect(pids.length).toBeGreaterThan(0);
  expect(keeper).toBeGreaterThan(0);
  expect(running([...pids, keeper])).toEqual([]);
  expect(existsSync(folder)).toBe(false);
}

/** Where we are root: nobody, if that user can read the package. */
function ordinaryUser(): number | undefined {
  const nobody = 65_534;
  if (process.getuid?.() !== 0) return undefined;
  const words = ['--input-type=module', '-e', `await import(${JSON.stringify(built('ending'))})`];
  return spawnSync(process.execPath, words, { uid: nobody, gid: nobody }).status === 0 ? nobody : undefined;
}

describe('nothing is left after', () => {
  const signalled =
    (signal: NodeJS.Signals) =>
    ({ child }: Run) =>
      process.kill(-(child.pid ?? NaN), signal);
  const ENDS = {
    'kill -9': { end: ({ child }: Run) => child.kill('SIGKILL'), result: 'SIGKILL' },
    'a Ctrl-C': { end: signalled('SIGINT'), result: 130 },
    'a hang-up of the terminal': { end: signalled('SIGHUP'), result: 'SIGHUP' },
    'an exit in the middle': { end: ({ child }: Run) => child.kill('SIGUSR2'), result: 3 },
    'an error that nobody catches': { end: ({ child }: Run) => child.stdin?.write('go'), result: 1 },
  } as const;

  test.each(Object.keys(ENDS) as (keyof typeof ENDS)[])('%s', async (name) => {
    const run = await startRun();
    const all = ended(run);
    ENDS[name].end(run);
    expect(await all).toBe(ENDS[name].result);
    nothingLeft(run);
  });

  test('kill -9 of the keeper, which the run does without', async () => {
    const run = await startRun();
    process.kill(run.keeper, 'SIGKILL');
    // It can't start anything more, and is told so when it tries; what runs is ended at once.
    while (running(run.pids).length > 0 || existsSync(run.folder)) await nextTurn();
    const all = ended(run);
    run.child.kill('SIGKILL');
    await all;
    nothingLeft(run);
  });

  test('kill -9 before the keeper has come to be', async () => {
    const folder = temporaryDirectory();
    const words = [fileURLToPath(built('keeper')), folder];
    const keeper = spawn(process.execPath, words, { stdio: ['pipe', 'ignore', 'inherit'] });
    // As the kernel does for a run that is killed: the pipe ends while node still loads the keeper's modules.
    keeper.stdin.destroy();
    expect(await once(keeper, 'exit')).toEqual([0, null]);
    expect(existsSync(folder)).toBe(false);
  });

  const ordinary = ordinaryUser();
  test.skipIf(ordinary === undefined)("kill -9 of an ordinary user's run", async () => {
    const run = await startRun(ordinary);
    expect(statSync(run.folder).uid).toBe(ordinary);
    const all = ended(run);
    run.child.kill('SIGKILL');
    expect(await all).toBe('SIGKILL');
    nothingLeft(run);
  });
});
