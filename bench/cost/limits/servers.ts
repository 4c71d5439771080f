/** nginx in front of an application, in a folder of their own. */
import { readFileSync } from 'node:fs';

import type { StackPlace, Target } from '../model.js';
import { nginxCommand, upstreamOf } from '../stacks/nginx.js';
import { Parts, type Command } from '../stacks/parts.js';
import type { Namespace } from './namespace.js';

/** Allows connections to be kept; whether they are depends on the upstream's `keepalive`. */
const KEEPABLE = 'proxy_http_version 1.1; proxy_set_header Connection "";';

export interface Lab extends StackPlace {
  readonly namespace: Namespace;
}

/** nginx directives, by location. */
export interface Directives {
  readonly upstream?: string;
  readonly location?: string;
}

export interface Front {
  readonly pid: number;
  /** nginx's UNIX socket: over TCP its clients would use ports too. */
  readonly path: string;
  /** The first line of its error log since the last call that contains this text. */
  logged(words: string): string | null;
}

export async function withParts<T>(lab: Lab, work: (parts: Parts) => Promise<T>): Promise<T> {
  const parts = new Parts(lab);
  try {
    return await work(parts);
  } finally {
    await parts.stop();
  }
}

/** Starts nginx in front of an application that will listen at `target`. */
export async function startFront(
  parts: Parts,
  target: Target,
  { upstream, location = '' }: Directives,
  inNamespace: readonly string[] = [],
): Promise<Front> {
  const path = parts.file('front.sock');
  const nginx = nginxCommand(parts.program('nginx'), parts.folder, `unix:${path} backlog=4096`, {
    http: ['error_log stderr warn;', upstreamOf(target, upstream)],
    server: [`location / { proxy_pass http://app; ${KEEPABLE} ${location} }`],
  });
  const { pid, log } = await parts.launch(within(inNamespace, nginx));
  // From here on, nginx runs in its namespace. The application may not be there yet.
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

export function within([first, ...words]: readonly string[], command: Command): Command {
  if (first === undefined) return command;
  return { ...command, command: first, args: [...words, command.command, ...command.args] };
}
