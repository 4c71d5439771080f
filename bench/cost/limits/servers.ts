/** nginx and an application behind it, in a network of their own if there may be one. */
import { readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';

import type { StackPlace, Target } from '../model.js';
import { nodeCommand } from '../stacks/javascript.js';
import { nginxCommand, upstreamOf } from '../stacks/nginx.js';
import { Parts, type Command } from '../stacks/parts.js';
import type { Namespace } from './namespace.js';

/** Connections can be kept then; whether they are is up to the upstream's `keepalive`. */
const KEEPABLE = 'proxy_http_version 1.1; proxy_set_header Connection "";';
/** As /proc/net/tcp numbers it. */
const LISTEN = '0A';

export interface Lab extends Omit<StackPlace, 'folder'> {
  readonly floor: string;
  readonly namespace: Namespace;
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
  readonly pid: number;
  /** nginx's socket: over TCP its users would take ports too. */
  readonly path: string;
  /** The first line of its error log since the last call that has these words in it. */
  logged(words: string): string | null;
}

export interface Servers extends Front {
  /** Stops the application for a while, and tells how many connections then wait in its queue; only over TCP that is known. */
  pause(milliseconds: number): Promise<number | undefined>;
}

export async function withParts<T>(lab: Lab, work: (parts: Parts) => Promise<T>): Promise<T> {
  const parts = new Parts({ ...lab, folder: lab.processes.makeFolder() });
  try {
    return await work(parts);
  } finally {
    await parts.stop();
  }
}

/** Starts nginx before a server at `target`. */
export async function startFront(
  parts: Parts,
  target: Target,
  { upstream = '', location = '' }: Pick<Settings, 'upstream' | 'location'>,
  inNamespace: readonly string[] = [],
): Promise<Front> {
  const path = parts.file('front.sock');
  const nginx = nginxCommand(parts.program('nginx'), parts.place.folder, `unix:${path} backlog=4096`, {
    http: ['error_log stderr warn;', upstreamOf(target, upstream)],
    server: [`location / { proxy_pass http://app; ${KEEPABLE} ${location} }`],
  });
  const { pid, log } = await parts.launch(within(inNamespace, nginx));
  // It is in its namespace then. The application may not be there yet.
  await parts.untilServing({ path }, '/', [200, 502]);
  let read = 0;
  return {
    ...{ pid, path },
    logged(words) {
      const lines = readFileSync(log, 'utf8').split('\n').slice(read);
      read += lines.length - 1;
      return lines.find((line) => line.includes(words)) ?? null;
    },
  };
}

export function withServers<T>(lab: Lab, settings: Settings, work: (servers: Servers) => Promise<T>): Promise<T> {
  const { namespace, signal } = lab;
  return withParts(lab, async (parts) => {
    const target = await parts.freeTarget(settings.family);
    const front = await startFront(parts, target, settings, namespace.make);
    const node = nodeCommand({ server: 'node:http', listen: { ...target, backlog: settings.backlog } });
    const app = await parts.launch(within(namespace.join(front.pid, settings.sysctls ?? {}), node));
    await parts.untilServing(front, '/hello');
    // What it has said of an application that was not there yet.
    front.logged('');
    return work({
      ...front,
      async pause(milliseconds) {
        process.kill(app.pid, 'SIGSTOP');
        await after(milliseconds, undefined, { signal });
        const waiting = 'port' in target ? waitingAt(target.port, app.pid) : undefined;
        process.kill(app.pid, 'SIGCONT');
        return waiting;
      },
    });
  });
}

function within([first, ...words]: readonly string[], command: Command): Command {
  return first === undefined
    ? command
    : { ...command, command: first, args: [...words, command.command, ...command.args] };
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
