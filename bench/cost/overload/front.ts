/** nginx before an application, with as much of its configuration as a demonstration is about. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Target } from '../model.js';

/** Directories that it makes at its start, by the modules that it may have been built without. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
/** What it says when it listens and has a worker. */
const STARTED = /start worker process (\d+)/;
/** Groups of user root. */
const ROOT_GROUP = process.platform === 'darwin' ? 'wheel' : 'root';

/** Lines of the configuration. */
export interface FrontSettings {
  /** Of its `location`: what is done with a request. */
  readonly location?: readonly string[] | undefined;
  /** Of its `upstream`. */
  readonly upstream?: readonly string[] | undefined;
}

export class Front {
  /** Its path, where requests are taken. */
  readonly path: string;
  private readonly log: string;
  private read = 0;

  private constructor(
    private readonly master: ChildProcess,
    private readonly worker: number,
    private readonly exited: Promise<void>,
    folder: string,
  ) {
    this.path = socketOf(folder);
    this.log = logOf(folder);
  }

  /** Starts it, and answers once it serves. It is of this process's group, and ends with it. */
  static async start(program: string, parent: string, upstream: Target, settings: FrontSettings): Promise<Front> {
    const folder = mkdtempSync(join(parent, 'nginx-'));
    for (const name of TEMPORARY) mkdirSync(join(folder, name));
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, configuration(program, folder, upstream, settings));
    const master = spawn(program, ['-p', folder, '-c', file, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
    const exited = new Promise<void>((resolve) =>
      master.on('close', () => {
        resolve();
      }),
    );
    const worker = await started(master);
    const front = new Front(master, worker, exited, folder);
    // However this process ends: a worker does not notice that its master is gone.
    process.on('exit', front.kill);
    return front;
  }

  /** The lines of its error log that have come since the last call, without the date. */
  newLines(): string[] {
    const text = existsSync(this.log) ? readFileSync(this.log, 'utf8') : '';
    const lines = text.slice(this.read).split('\n').filter(Boolean);
    this.read = text.length;
    return lines.map((line) => line.replace(/^\S+ \S+ /, '').replace(/^(\[\w+\]) \d+#\d+: (\*\d+ )?/, '$1 '));
  }

  async stop(): Promise<void> {
    this.master.kill('SIGTERM');
    await this.exited;
    process.off('exit', this.kill);
  }

  private readonly kill = (): void => {
    for (const pid of [this.master.pid, this.worker]) {
      try {
        if (pid !== undefined) process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
  };
}

function socketOf(folder: string): string {
  return join(folder, 'front.sock');
}

function logOf(folder: string): string {
  return join(folder, 'error.log');
}

function addressOf(upstream: Target): string {
  return 'path' in upstream ? `unix:${upstream.path}` : `${upstream.host}:${String(upstream.port)}`;
}

function configuration(program: string, folder: string, upstream: Target, settings: FrontSettings): string {
  const { stderr: built } = spawnSync(program, ['-V'], { encoding: 'utf8' });
  const temporary = TEMPORARY.filter((name) => !built.includes(`--without-http_${name}_module`));
  return `
${process.getuid?.() === 0 ? `user root ${ROOT_GROUP};` : ''}
daemon off;
worker_processes 1;
pid "${folder}/pid";
error_log stderr notice;
error_log "${logOf(folder)}" warn;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  ${temporary.map((name) => `${name}_temp_path "${folder}/${name}";`).join('\n  ')}
  upstream app {
    server ${addressOf(upstream)} max_fails=0;
    ${(settings.upstream ?? []).join('\n    ')}
  }
  server {
    listen "unix:${socketOf(folder)}" backlog=4096;
    location / {
      proxy_pass http://app;
      ${(settings.location ?? []).join('\n      ')}
    }
  }
}
`;
}

/** The process of its worker, when it serves. */
function started(master: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let told = '';
    master.on('error', reject);
    master.on('close', () => {
      reject(new Error(`nginx did not start:\n${told}`));
    });
    master.stderr?.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      const pid = STARTED.exec(told)?.[1];
      if (pid !== undefined) resolve(Number(pid));
    });
  });
}
