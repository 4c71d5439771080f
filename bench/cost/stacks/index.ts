/** The stacks, one row each. */
import type { RunningStack, Stack, StackPlace } from '../model.js';
import { APACHE } from './apache.js';
import { NGINX_ALONE } from './nginx-alone.js';
import { NGINX_NEARWIRE_UWSGI, NGINX_NODE, NODE_ALONE } from './node.js';
import { OTHERS } from './others.js';
import { NGINX_UWSGI, NGINX_UWSGI_HTTP, UWSGI_ALONE, UWSGI_ROUTING } from './uwsgi.js';
import { YAWS } from './yaws.js';

export const STACKS: readonly Stack[] = [
  ...NGINX_UWSGI,
  ...NGINX_UWSGI_HTTP,
  UWSGI_ALONE,
  ...APACHE,
  YAWS,
  ...NGINX_NODE,
  ...NODE_ALONE,
  ...NGINX_NEARWIRE_UWSGI,
  NGINX_ALONE,
  ...OTHERS,
  UWSGI_ROUTING,
];

export function stackNamed(name: string): Stack {
  const stack = STACKS.find((entry) => entry.name === name);
  if (!stack) throw new RangeError(`no stack ${name}`);
  return stack;
}

/** All that a place has but its folder, which is made for each stack. */
export type StackContext = Omit<StackPlace, 'folder'>;

/** Starts a stack in a new folder, which its `stop()` removes. */
export async function startStack(stack: Stack, context: StackContext): Promise<RunningStack> {
  const { processes } = context;
  context.signal.throwIfAborted();
  const folder = processes.makeFolder();
  let running: RunningStack;
  try {
    running = await stack.start({ ...context, folder });
  } catch (error) {
    await processes.removeFolder(folder);
    throw error;
  }
  return {
    ...running,
    stop: async () => {
      await running.stop();
      await processes.removeFolder(folder);
    },
  };
}
