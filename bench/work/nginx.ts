/** The worker that has nginx serve the file: it starts it, tells what its worker process uses, and ends it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { freePort } from '../cost/free-port.js';
import { findNginx } from '../nginx.js';
import { cpuOf } from '../process-table.js';
import { Control, tell } from './control.js';
import type { Target, Words } from './words.js';

/** Directories that it makes at its start, by the modules that it may have been built without. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
/** What it says when it listens and has a worker. */
const STARTED = /start worker process (\d+)/;

export async function serveNginx(words: Words, target: Target): Promise<void> {
  const program = findNginx();
  if (program instanceof Error) throw program;
  const address = 'path' in target ? target.path : `${target.host}:${String(await freePort())}`;
  // In the folder of the run, which is removed with what is in it.
  const folder = mkdtempSync(join(dirname(words.file), 'nginx-'));
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(program, folder, 'path' in target ? `unix:${address}` : address, words.file));
  const nginx = spawn(program, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(nginx, 'close');
  const worker = await started(nginx);
  // However this process ends: a worker does not notice that its master is gone.
  const killBoth = (): void => {
    for (const pid of [nginx.pid, worker]) kill(pid);
  };
  process.on('exit', killBoth);
  let ending = false;
  new Control(
    async () => {
      ending = true;
      nginx.kill('SIGTERM');
      await exited;
      process.off('exit', killBoth);
    },
    () => cpuOf(worker),
  );
  void exited.then(() => {
    if (!ending) throw new Error('nginx has ended');
  });
  tell({ ready: true, address });
}

/** `sendfile on` and else what it does by itself, but for logs. */
function configuration(program: string, folder: string, listen: string, served: string): string {
  const { stderr: built } = spawnSync(program, ['-V'], { encoding: 'utf8' });
  const temporary = TEMPORARY.filter((name) => !built.includes(`--without-http_${name}_module`));
  return `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid "${folder}/pid";
error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  default_type text/plain;
  ${temporary.map((name) => `${name}_temp_path "${folder}/${name}";`).join('\n  ')}
  server {
    listen ${listen};
    location = /body { alias "${served}"; }
  }
}
`;
}

/** The process of its worker, when it serves. */
function started(nginx: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let told = '';
    nginx.on('error', reject);
    nginx.on('close', () => {
      reject(new Error(`nginx did not start:\n${told}`));
    });
    nginx.stderr?.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      const pid = STARTED.exec(told)?.[1];
      if (pid !== undefined) resolve(Number(pid));
    });
  });
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
