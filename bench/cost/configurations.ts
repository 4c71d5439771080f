/**
 * What is measured: a request's way with one part more, or another one, each time. Neighbours of a chain differ in one thing,
 * so that their difference is what that thing costs, and all differences together are the whole.
 */
import type { RunningStack, Stack, StackPlace, Work } from './model.js';
import { leastHop, nginxAlone, stackNamed } from './stacks/index.js';
import { emptyWork } from './works.js';

/** What a configuration has more than the one before it. */
export type Layer = 'front' | 'hop' | 'server' | 'app';

export interface Configuration {
  /** Its own among all of a run: `nginx-node-unix-keep /hello`. */
  readonly name: string;
  readonly work: Work;
  /** Its code becomes faster while it runs, as a JIT compiles what is called often. */
  readonly isCompiled: boolean;
  start(place: StackPlace): Promise<RunningStack>;
}

export interface Chain {
  /** `nginx -> node:http over node:net, UNIX, kept connections`. */
  readonly title: string;
  /** From nginx alone to the whole. A stack whose front can't be had by itself is one layer, `server`. */
  readonly steps: readonly { readonly layer: Layer; readonly configuration: Configuration }[];
}

/** One thing changed in the first chain. */
export interface Change {
  /** `TCP instead of the UNIX socket`. */
  readonly title: string;
  readonly configuration: Configuration;
  readonly insteadOf: Configuration;
}

/** Whose code a compiler works on while it runs: CPython's is none, and Erlang's is through before. */
const COMPILED: readonly Stack['language'][] = ['node', 'other'];

/** With our application, but for a work that is the user's own. */
export function stackConfiguration(stack: Stack, work: Work): Configuration {
  return {
    name: `${stack.name} ${work.path}`,
    work,
    isCompiled: COMPILED.includes(stack.language),
    start: (place) => stack.start(work.name === 'own' ? place : { ...place, app: undefined, wsgi: undefined }),
  };
}

/**
 * From nginx alone to this stack, with an application that does nothing and, if there is one, with `app`. `bytes`: of
 * all answers, so that only the application differs.
 */
export function chainOf(stack: Stack, bytes: number, app: Work | undefined): Chain {
  const { hop, title } = stack;
  const empty = emptyWork(bytes);
  const steps: (readonly [Layer, Stack, Work])[] = [['server', stack, empty]];
  if (hop !== undefined && hop.protocol !== 'mod_wsgi') {
    steps.unshift(['front', nginxAlone(empty), empty], ['hop', leastHop(hop, bytes), empty]);
  }
  if (app !== undefined) steps.push(['app', stack, app]);
  return {
    title,
    steps: steps.map(([layer, of, work]) => ({ layer, configuration: stackConfiguration(of, work) })),
  };
}

/** Another app server, connection or protocol, with an application that does nothing. */
export function changeOf(title: string, name: string, { steps }: Chain): Change {
  const server = steps.find(({ layer }) => layer === 'server')?.configuration;
  if (!server) throw new RangeError('a chain has a server');
  return { title, configuration: stackConfiguration(stackNamed(name), server.work), insteadOf: server };
}
