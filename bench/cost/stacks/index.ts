/** The stacks, one row each. */
import type { Program, ProgramName, RunningStack, Stack, StackPlace, WorkName } from '../model.js';
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

/**
 * What a stack answers. With a user's own application (`wsgi` for Python's servers, `app` for Node's) it runs that and
 * nothing else, as the user does, and `own` is all there is; without, all but `own`. The page needs Jinja2.
 */
export function worksOf(
  stack: Stack,
  context: Pick<StackContext, 'wsgi' | 'app'> & { readonly programs: ReadonlyMap<ProgramName, Program> },
): readonly WorkName[] {
  const own = stack.works.includes('own') ? { python: context.wsgi, node: context.app } : undefined;
  if (own?.[stack.language as keyof typeof own] !== undefined) return ['own'];
  const hasJinja = context.programs.get('python3-jinja2')?.file !== undefined;
  return stack.works.filter((name) => name !== 'own' && (name !== 'page' || hasJinja));
}

/** Why the page is left out where it was asked for: what to type. Undefined where it is not. */
export function missingPage(
  stacks: readonly Stack[],
  asked: readonly WorkName[] | undefined,
  context: Parameters<typeof worksOf>[1],
): string | undefined {
  const jinja = context.programs.get('python3-jinja2');
  const isDone = stacks.some((stack) => stack.works.includes('page') && !worksOf(stack, context).includes('own'));
  if (!isDone || !jinja || jinja.file !== undefined || asked?.includes('page') === false) return undefined;
  return `the work page is left out: not installed: ${jinja.install}`;
}

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
