/** The worker that serves the file with nginx: starts it, reports the CPU of its worker process, and stops it. */
import { freePort } from '../cost/free-port.js';
import { Processes } from '../cost/processes.js';
import { untilServing } from '../cost/ready.js';
import { nginxCommand } from '../cost/stacks/nginx.js';
import { findNginx } from '../nginx.js';
import { cpuOf } from '../process-table.js';
import { Control, tell } from './control.js';
import type { Target, Words } from './words.js';

export async function serveNginx(words: Words, target: Target): Promise<void> {
  const program = findNginx();
  if (program instanceof Error) throw program;
  const { signal } = new AbortController();
  // However this process ends, they stop nginx and its worker, which does not notice that its master is gone.
  const processes = await Processes.start(signal);
  const folder = processes.makeFolder();
  // nginx can neither choose a free port nor report which one it uses.
  const served = 'path' in target ? target : { host: target.host, port: await freePort() };
  const address = 'path' in served ? served.path : `${served.host}:${String(served.port)}`;
  const command = nginxCommand(program, folder, 'path' in served ? `unix:${address}` : address, {
    http: ['keepalive_timeout 1h;', 'keepalive_requests 1000000000;'],
    // Apart from these, nginx's own defaults, not Debian's.
    server: ['tcp_nopush off;', `location = /body { default_type text/plain; alias "${words.file}"; }`],
  });
  const nginx = await processes.launch({ ...command, folder, log: `${folder}/nginx.log` });
  await untilServing(served, '/body', [nginx], { signal });
  const workers = nginx.pids().filter((pid) => pid !== nginx.pid);
  new Control(
    () => processes.end(),
    () => workers.reduce((sum, pid) => sum + cpuOf(pid), 0),
  );
  tell({ ready: true, address });
}
