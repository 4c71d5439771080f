/**
 * The process that starts a run's servers and outlives the run: when the run is gone, whatever ended it, the pipe between
 * them ends, and all that was started is killed and the run's folder removed. It is the servers' parent, so that none is
 * started without its knowing.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { endGroup, endMarked } from './ending.js';
import { isOrder, type LaunchOrder, type Order, type Report } from './keeper-words.js';
import { MARK_VARIABLE, markedProcesses, membersOf } from './process-table.js';

/** The longest name in a stack's folder. */
const LONGEST_NAME = '/99/mod_wsgi.4194304.0.1.sock';
/** The shortest room for a path in `sockaddr_un`, macOS's, less the NUL. */
const LONGEST_SOCKET_PATH = 103;

const mark = randomUUID();
const folder = makeFolder();
/** What was launched: the mark of all that it starts, and its own end. */
const leaders = new Map<number, { readonly itsMark: string; readonly exited: Promise<unknown> }>();

// A closed terminal or a Ctrl-C is the run's to handle: it tells us, or ends, and that tells us too.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('SIGTERM', () => void finish().finally(leave));
process.on('message', (order: unknown) => {
  if (isOrder(order)) void carryOut(order);
});
process.on('disconnect', () => void finish());
// The run may have been killed while this was loaded: that event is over then.
if (process.connected) report({ folder, mark });
else void finish();

async function carryOut(order: Order): Promise<void> {
  try {
    if ('launch' in order) report({ id: order.id, pid: await launch(order.id, order.launch) });
    else {
      if ('end' in order) await end(order.end, order.atOnce);
      else if ('removeFolder' in order) rmSync(order.removeFolder, { recursive: true, force: true });
      else await finish();
      report({ id: order.id });
    }
  } catch (error) {
    report({ id: order.id, error: error instanceof Error ? error.message : String(error) });
  }
  if ('finish' in order) leave();
}

function launch(id: number, { command, args, env, folder: cwd, log }: LaunchOrder): Promise<number> {
  const output = openSync(log, 'a');
  const itsMark = `${mark}.${String(id)}.`;
  const child = spawn(command, args, {
    cwd,
    // Its own session: no terminal reaches it, and its children are known by it.
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env, [MARK_VARIABLE]: itsMark },
  });
  closeSync(output);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      const { pid } = child;
      if (pid === undefined) return;
      leaders.set(pid, { itsMark, exited });
      resolve(pid);
    });
    child.once('exit', (code, signal) => {
      const how = signal === null ? `exited with ${String(code)}` : `was ended by ${signal}`;
      if (child.pid === undefined) return;
      // The number may become another's as soon as nothing of the group is left.
      if (membersOf(child.pid).length + markedProcesses(itsMark).length === 0) leaders.delete(child.pid);
      report({ exited: id, how });
    });
  });
}

async function end(leader: number, atOnce: boolean): Promise<void> {
  const known = leaders.get(leader);
  if (known === undefined) return;
  await endGroup(leader, atOnce);
  await endMarked(known.itsMark);
  await known.exited;
  leaders.delete(leader);
}

async function finish(): Promise<void> {
  try {
    await Promise.all([...leaders.keys()].map((leader) => end(leader, true)));
    await endMarked(mark);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nothing keeps this process then. */
function leave(): void {
  if (process.connected) process.disconnect();
}

/**
 * With a path that leaves room for the names of sockets, that needs no quotes in any server's configuration, and which a
 * server's other user may enter.
 */
function makeFolder(): string {
  const fits =
    Buffer.byteLength(join(tmpdir(), 'nearwire-cost-XXXXXX') + LONGEST_NAME) <= LONGEST_SOCKET_PATH &&
    /^[\w/.+-]+$/.test(tmpdir());
  const made = mkdtempSync(join(fits ? tmpdir() : '/tmp', 'nearwire-cost-'));
  chmodSync(made, 0o711);
  return made;
}

function report(words: Report): void {
  // The run may be gone by now.
  if (process.connected) process.send?.(words, undefined, undefined, () => undefined);
}
