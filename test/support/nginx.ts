/** A real nginx before a socket, as distributions run it: workers of another user, an error log in a file. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { join } from 'node:path';
import { cleanup, temporaryDirectory } from './sockets.js';

export interface Front {
  readonly errorLog: string;
  /** The status that it answers a request with. */
  status(): Promise<number>;
}

/** `user` is for its workers, where we are root. */
export async function startFront(command: string, upstream: string, user: string): Promise<Front> {
  const directory = temporaryDirectory();
  const listen = join(directory, 'front.sock');
  const errorLog = await runNginx(command, directory, user, [
    `upstream app { server unix:${upstream} max_fails=0; }`,
    `server { listen unix:${listen}; location / { proxy_pass http://app; } }`,
  ]);
  return { errorLog, status: () => statusOf(listen) };
}

/** Runs nginx until the test is over; `http` are the lines of that block. Answers the path of its error log. */
export async function runNginx(
  command: string,
  directory: string,
  user: string,
  http: readonly string[],
): Promise<string> {
  chmodSync(directory, 0o755);
  const [errorLog, file] = [join(directory, 'error.log'), join(directory, 'nginx.conf')];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    file,
    `${process.getuid?.() === 0 ? `user ${user} ${groupOf(user)};` : ''}
     daemon off;
     worker_processes 1;
     pid ${directory}/pid;
     error_log stderr notice;
     error_log ${errorLog} error;
     events { worker_connections 64; }
     http {
       access_log off;
       ${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n')}
       ${http.join('\n')}
     }`,
  );
  const child = spawn(command, ['-p', directory, '-c', file, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = once(child, 'exit');
  cleanup(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  await said(child, 'start worker process ');
  return errorLog;
}

/** nginx takes it to be called like its user, which not all are. */
function groupOf(user: string): string {
  return execFileSync('id', ['-gn', user], { encoding: 'utf8' }).trim();
}

function said(child: ChildProcess, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(words)) resolve();
    });
    child.once('exit', () => {
      reject(new Error(`nginx ended: ${text}`));
    });
  });
}

async function statusOf(socketPath: string): Promise<number> {
  const request = http.get({ socketPath, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode ?? 0;
}
