/**
 * What is measured: the path of a request with one more or one different part each time. Neighbours in a chain differ
 * in one part, so that their difference is that part's cost, and all differences add up to the whole.
 */
import type { RunningStack, Stack, StackPlace, Work } from './model.js';
import { leastHop, nginxAlone, stackNamed } from './stacks/index.js';
import { emptyWork } from './works.js';

/** What a configuration adds to the previous one. */
export type Layer = 'front' | 'hop' | 'server' | 'app';

export interface Configuration {
  /** Unique within a run: `nginx-node-unix-keep /hello`. */
  readonly name: string;
  readonly work: Work;
  /** Its code gets faster while it runs, because a JIT compiles hot code. */
  readonly isCompiled: boolean;
  start(place: StackPlace): Promise<RunningStack>;
}

export interface Chain {
  /** `nginx -> node:http over node:net, UNIX, kept connections`. */
  readonly title: string;
  /**
   * From nginx alone to the whole. A stack whose reverse proxy cannot be measured alone is a single layer, `server`.
   */
  readonly steps: readonly { readonly layer: Layer; readonly configuration: Configuration }[];
}

/** One thing changed in the first chain. */
export interface Change {
  /** `TCP instead of the UNIX socket`. */
  readonly title: string;
  readonly configuration: Configuration;
  readonly insteadOf: Configuration;
}

/** Languages with a JIT: CPython has none, and Erlang compiles in advance. */
const COMPILED: readonly Stack['language'][] = ['node', 'other'];

/** With the built-in application, unless the work is the user's own. */
export function stackConfiguration(stack: Stack, work: Work): Configuration {
  return {
    name: `${stack.name} ${work.path}`,
    work,
    isCompiled: COMPILED.includes(stack.language),
    start: (place) => stack.start(work.name === 'own' ? place : { ...place, app: undefined, wsgi: undefined }),
  };
}

/**
 * From nginx alone to this stack, with an application that does nothing and, if given, with `app`. `bytes`: the size of
 * all responses, so that only the application differs.
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
