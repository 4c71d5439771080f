/**
 * What is measured: a request's way with one part more, or another one, each time. Neighbours of a chain differ in one thing,
 * so that their difference is what that thing costs, and all differences together are the whole.
 */
import { writeFileSync } from 'node:fs';

import { startPlainServer, type PlainServer } from '../hop-alone.js';
import type { Hop, Role, RunningStack, StackPlace, Target, Work } from '../model.js';
import { stackNamed } from '../stacks/index.js';
import { launchNginx, proxyOptions, uwsgiOptions } from '../stacks/nginx.js';
import { startParts } from '../stacks/parts.js';
import { answerOf, emptyWork } from '../works.js';

/** What a configuration has more than the one before it. */
export type Layer = 'client' | 'front' | 'hop' | 'server' | 'app';

export interface Configuration {
  /** Its own among all of a run: `nginx-node-unix-keep 12 B`. */
  readonly name: string;
  readonly work: Work;
  start(place: StackPlace, floor: string): Promise<Running>;
}

export interface Running {
  readonly target: Target;
  pids(role: Role): readonly number[];
  stop(): Promise<void>;
}

export interface Chain {
  /** `nginx -> node:http over node:net, UNIX, kept connections`. */
  readonly title: string;
  readonly hop: Hop;
  /** From the client alone to the whole. */
  readonly steps: readonly { readonly layer: Layer; readonly configuration: Configuration }[];
}

/** A chain's whole with one thing changed. */
export interface Change {
  /** `TCP instead of the UNIX socket`. */
  readonly title: string;
  readonly configuration: Configuration;
  readonly insteadOf: Configuration;
  /** The client of both. */
  readonly client: Configuration;
}

/** The user's own connections: to nginx, kept. */
const TO_FRONT: Hop = { family: 'tcp', protocol: 'http', connections: 'keep-alive' };
/** nginx takes a word of its configuration of no more than 4 KiB; longer answers are files. */
const LONGEST_WORD = 2048;

function ofPlain({ target, pids, stop }: PlainServer): Running {
  return { target, pids: (role) => (role === 'app' ? pids : []), stop };
}

/** The generator, and a plain C server that answers it: what is no layer of anybody's. */
function clientAlone(bytes: number): Configuration {
  return {
    name: `client ${String(bytes)} B`,
    work: emptyWork(bytes),
    start: async ({ folder, signal }, floor) =>
      ofPlain(await startPlainServer(TO_FRONT, bytes, { folder, signal, floor })),
  };
}

/** nginx that answers by itself. */
function frontAlone(bytes: number): Configuration {
  const work = emptyWork(bytes);
  const [path = ''] = work.path.split('?');
  const body = answerOf(work) ?? '';
  return {
    name: `nginx ${String(bytes)} B`,
    work,
    start: (place) =>
      startParts(place, async (parts) => {
        const file = parts.file('answer');
        const isWord = bytes <= LONGEST_WORD;
        if (!isWord) writeFileSync(file, body);
        const word = body.replace('\n', '\\n');
        const answer = isWord ? `return 200 "${word}";` : `alias ${file}; open_file_cache max=1;`;
        const target = await launchNginx(parts, {
          server: [`location = ${path} { default_type text/plain; ${answer} }`],
        });
        await parts.untilServing(target, work.path, body);
        return { target, hopTarget: undefined };
      }),
  };
}

/** nginx before a plain C server: the hop at its least. */
function leastHop(hop: Hop, bytes: number): Configuration {
  return {
    name: `nginx-c-${hop.family}-${hop.protocol}-${hop.connections} ${String(bytes)} B`,
    work: emptyWork(bytes),
    start: async (place, floor) => {
      const { folder, signal } = place;
      const plain = await startPlainServer(hop, bytes, { folder, signal, floor });
      try {
        const front = await startFront(hop, plain.target, place);
        return {
          target: front.target,
          pids: (role) => (role === 'app' ? plain.pids : front.pids(role)),
          stop: async () => {
            await front.stop();
            await plain.stop();
          },
        };
      } catch (error) {
        await plain.stop();
        throw error;
      }
    },
  };
}

function startFront(hop: Hop, upstream: Target, place: StackPlace): Promise<RunningStack> {
  const options = hop.protocol === 'uwsgi' ? uwsgiOptions(upstream) : proxyOptions(upstream, hop.connections);
  return startParts(place, async (parts) => {
    const target = await launchNginx(parts, options);
    await parts.untilListening(target);
    return { target, hopTarget: upstream };
  });
}

/** With our application, but for a work that is the user's own. */
function stackConfiguration(name: string, work: Work): Configuration {
  return {
    name: `${name} ${work.name === 'hello' ? `${String(work.answerBytes)} B` : work.name}`,
    work,
    start: (place) =>
      stackNamed(name).start(work.name === 'own' ? place : { ...place, app: undefined, wsgi: undefined }),
  };
}

/**
 * From the client alone to this stack, with an application that does nothing and, if there is one, with `app`. `bytes`: of
 * all answers, so that only the application differs.
 */
export function chainOf(name: string, bytes: number, app: Work | undefined): Chain {
  const { hop, title } = stackNamed(name);
  if (hop === undefined) throw new RangeError(`${name} has no hop`);
  return {
    title,
    hop,
    steps: [
      { layer: 'client', configuration: clientAlone(bytes) },
      { layer: 'front', configuration: frontAlone(bytes) },
      { layer: 'hop', configuration: leastHop(hop, bytes) },
      { layer: 'server', configuration: stackConfiguration(name, emptyWork(bytes)) },
      ...(app === undefined ? [] : [{ layer: 'app' as const, configuration: stackConfiguration(name, app) }]),
    ],
  };
}

/** `name`: the stack that takes the place of the chain's. */
export function changeOf(title: string, name: string, { steps }: Chain): Change {
  const [client, whole] = [steps[0]?.configuration, steps.at(-1)?.configuration];
  if (!client || !whole) throw new RangeError('a chain has an end');
  return { title, configuration: stackConfiguration(name, whole.work), insteadOf: whole, client };
}
