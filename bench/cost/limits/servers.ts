/** nginx and an application behind it, in a network of their own if there may be one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';

import { PACKAGE_ROOT } from '../../package-root.js';
import type { NodeServerWords } from '../apps/node-server.js';
import { freePort } from '../free-port.js';
import type { LoadOptions } from '../load.js';
import type { Launched, Processes } from '../processes.js';
import { untilListening, untilServing } from '../ready.js';
import { addressOf, nginxConfiguration } from '../stacks/nginx.js';
import type { Namespace } from './namespace.js';

const APP = join(PACKAGE_ROOT, 'dist', 'bench', 'cost', 'apps', 'node-server.js');
/** Connections can be kept then; whether they are is up to the upstream's `keepalive`. */
const KEEPABLE = 'proxy_http_version 1.1; proxy_set_header Connection "";';
/** As /proc/net/tcp numbers it. */
const LISTEN = '0A';

export interface Lab {
  readonly processes: Processes;
  /** Programs. */
  readonly nginx: string;
  readonly floor: string;
  readonly namespace: Namespace;
  readonly signal: AbortSignal;
}

export interface Settings {
  readonly family: 'unix' | 'tcp';
  readonly backlog?: number;
  /** Set before the application listens, when nginx does. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Directives of nginx, by their place. */
  readonly upstream?: string;
  readonly location?: string;
}

export interface Front {
  readonly nginx: Launched;
  /** nginx's socket: over TCP its users would take ports too. */
  readonly path: string;
  /** The first line of its error log since the last call that has these words in it. */
  logged(words: string): string | null;
}

export interface Servers extends Front {
  /** Stops the application for a while, and tells how many connections then wait in its queue; only over TCP that is known. */
  pause(milliseconds: number): Promise<number | undefined>;
}

export async function withServers<T>(lab: Lab, settings: Settings, work: (servers: Servers) => Promise<T>): Promise<T> {
  const { processes, namespace, signal } = lab;
  const { family, backlog, sysctls = {} } = settings;
  const folder = processes.makeFolder();
  const port = family === 'tcp' ? await freePort() : undefined;
  const target = port === undefined ? { path: join(folder, 'app.sock') } : { host: '127.0.0.1', port };
  const words: NodeServerWords = { server: 'node:http', listen: { ...target, backlog } };
  return withFront(lab, namespace.make, target, settings, async (front) => {
    const { nginx, path, logged } = front;
    const inside = namespace.join(nginx.pid, sysctls);
    const app = await launch(lab, folder, 'the application', ...inside, process.execPath, APP, JSON.stringify(words));
    try {
      const waited = { servers: [app, nginx], logs: [], signal };
      await untilServing({ path }, '/hello', (status) => (status === 200 ? 'good' : 'not yet'), waited);
      // What it has said of an application that was not there yet.
      logged('');
      return await work({
        ...front,
        async pause(milliseconds) {
          process.kill(app.pid, 'SIGSTOP');
          await after(milliseconds, undefined, { signal });
          const waiting = port === undefined ? undefined : waitingAt(port, app.pid);
          process.kill(app.pid, 'SIGCONT');
          return waiting;
        },
      });
    } finally {
      await app.stop();
    }
  });
}

/** nginx alone, before a server at `target`. */
export async function withFront<T>(
  lab: Lab,
  inNamespace: readonly string[],
  target: LoadOptions['target'],
  { upstream = '', location = '' }: Pick<Settings, 'upstream' | 'location'>,
  work: (front: Front) => Promise<T>,
): Promise<T> {
  const folder = lab.processes.makeFolder();
  const [path, file, log] = [join(folder, 'front.sock'), join(folder, 'nginx.conf'), join(folder, 'error.log')];
  const isRoot = process.getuid?.() === 0 || inNamespace.length > 0;
  const place = { folder, errorLog: log, listen: `unix:${path} backlog=4096`, isRoot };
  const http = [`error_log ${log} warn;`, `upstream app { server ${addressOf(target)}; ${upstream} }`];
  const server = [`location / { proxy_pass http://app; ${KEEPABLE} ${location} }`];
  writeFileSync(file, nginxConfiguration(place, { http, server }));
  const nginx = await launch(lab, folder, 'nginx', ...inNamespace, lab.nginx, '-p', folder, '-c', file, '-e', log);
  let read = 0;
  const logged = (words: string): string | null => {
    const lines = readFileSync(log, 'utf8').split('\n').slice(read);
    read += lines.length - 1;
    return lines.find((line) => line.includes(words)) ?? null;
  };
  try {
    await untilListening({ path }, { servers: [nginx], logs: [log], signal: lab.signal });
    return await work({ nginx, path, logged });
  } finally {
    await nginx.stop();
  }
}

function launch({ processes }: Lab, folder: string, name: string, ...words: string[]): Promise<Launched> {
  const [command = '', ...args] = words;
  return processes.launch({ name, command, args, folder, log: join(folder, 'output.log') });
}

/** As /proc/net/tcp has it, in the network of a process. */
function waitingAt(port: number, pid: number): number {
  const rows = readFileSync(`/proc/${String(pid)}/net/tcp`, 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  const end = `:${port.toString(16).toUpperCase()}`;
  const listener = rows.find(([, local = '', , state]) => state === LISTEN && local.endsWith(end));
  return parseInt(listener?.[4]?.split(':')[1] ?? '', 16);
}
