/** A real uWSGI with a Python application, on a UNIX socket and on TCP. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../bench/cost/free-port.js';
import { cleanup, temporaryDirectory } from '../sockets.js';

export interface UwsgiServer {
  path: string;
  port: number;
  /** What it has written so far. */
  log(): string;
}

const APPLICATION = fileURLToPath(new URL('application.py', import.meta.url));

/** Runs until the test is over. `more` are further options of its command line. */
export async function startUwsgi(command: string, more: readonly string[] = []): Promise<UwsgiServer> {
  const path = join(temporaryDirectory(), 'uwsgi.sock');
  const port = await freePort();
  const words = ['--socket', path, '--socket', `127.0.0.1:${String(port)}`, '--plugin', 'python3'];
  words.push(
    '--wsgi-file',
    APPLICATION,
    '--need-app',
    '--master',
    '--die-on-term',
    '--cache2',
    'name=default,items=10',
  );
  words.push('--processes', '2', ...more);
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const gone = once(child, 'exit');
  cleanup(async () => {
    // With its workers, at once: it would wait for one that holds its answer back.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await gone;
  });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('spawned uWSGI worker 2')) resolve();
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`${command} ended with ${String(code)}: ${output}`));
    });
  });
  return { path, port, log: () => output };
}
