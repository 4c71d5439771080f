/** UNIX listeners whose queue is full, because their process has been stopped. */
import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { heard, startChild } from './children.js';
import { cleanup, socketPath } from './sockets.js';
import type { SubjectName } from './subjects.js';

export interface StoppedServer {
  readonly path: string;
  readonly child: ChildProcess;
  /** Lets it run again. */
  goOn(): void;
}

/**
 * A server, of node's if not told otherwise, that has stopped: what connects stands in its queue of `backlog` + 1. When it goes on it does what
 * `serve` says with each `socket`, of which `got` is what it has sent.
 */
export async function stoppedServer(
  backlog: number,
  serve = `socket.end('served')`,
  subject: SubjectName = 'node:net',
): Promise<StoppedServer> {
  const path = socketPath('stopped.sock');
  const child = startChild(
    subject,
    `const server = createServer({ allowHalfOpen: true }, (socket) => {
       let got = '';
       socket.setEncoding('utf8').on('data', (text) => { got += text; }).on('error', () => undefined);
       ${serve};
     });
     server.listen({ path: ${JSON.stringify(path)}, backlog: ${String(backlog)} }, () => {
       say('listening');
       setImmediate(() => process.kill(process.pid, 'SIGSTOP'));
     });`,
  );
  await heard(child);
  await untilStopped(child);
  return { path, child, goOn: () => child.kill('SIGCONT') };
}

/** As stoppedServer(), and nobody else gets into its queue. */
export async function fullServer(backlog = 1, serve?: string): Promise<StoppedServer> {
  const server = await stoppedServer(backlog, serve);
  for (let i = 0; i <= backlog; i++) await connected(server.path);
  return server;
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      resolve(socket);
    });
    socket.on('error', reject);
    cleanup(() => socket.destroy());
  });
}

/** The state of a process, as Linux tells it: `T` is stopped. */
async function untilStopped(child: ChildProcess): Promise<void> {
  for (;;) {
    const stat = await readFile(`/proc/${String(child.pid)}/stat`, 'utf8');
    if (/\) T /.test(stat)) return;
  }
}
