/** Applications whose listen queues are filled: how each is started with a backlog, and how that is set. */
import type { Hop, Target } from '../model.js';
import { stackNamed, startStack } from '../stacks/index.js';
import { jsonWork, workNamed } from '../works.js';
import type { Asked } from './burst.js';
import { Log, type FrontSettings } from './front.js';
import type { Lab } from './lab.js';

/** One that runs. */
export interface Serving {
  /** What is asked of the front. */
  readonly asked: Asked;
  /** Where the front connects to. */
  readonly hop: Target;
  readonly log: Log;
  stop(): Promise<void>;
}

export interface ServingOrder {
  /** Undefined: its own. */
  readonly backlog: number | undefined;
  /** CPU for each request, in milliseconds. */
  readonly burn: number;
  /** Of nginx before node:http. */
  readonly settings: FrontSettings;
}

export interface QueueSubject {
  /** `nginx -> node:http over a UNIX socket`. */
  readonly title: string;
  readonly family: Hop['family'];
  readonly language: 'node' | 'python';
  /** What it asks for by itself. */
  readonly ownBacklog: number;
  /** As it is written. */
  settingOf(backlog: number): string;
  start(lab: Lab, order: ServingOrder): Promise<Serving>;
}

function node(family: Hop['family']): QueueSubject {
  return {
    title: `nginx -> node:http over ${family === 'unix' ? 'a UNIX socket' : 'TCP'}`,
    family,
    language: 'node',
    ownBacklog: 511,
    settingOf: (backlog) => `server.listen({ ${family === 'unix' ? 'path' : 'port'}, backlog: ${String(backlog)} })`,
    async start(lab, { backlog, burn, settings }) {
      const app = await lab.app({ backlog, burn, wait: 0 }, family);
      const front = await lab.front(app.target, settings);
      return {
        asked: { target: { path: front.path }, work: workNamed('hello') },
        hop: app.target,
        log: front.log,
        async stop() {
          await front.stop();
          await app.stop();
        },
      };
    },
  };
}

export const NODE = { unix: node('unix'), tcp: node('tcp') };

/** As it is measured: its own protocol, one process. */
export const UWSGI: QueueSubject = {
  title: 'nginx -> uWSGI over a UNIX socket',
  family: 'unix',
  language: 'python',
  ownBacklog: 100,
  settingOf: (backlog) => `listen = ${String(backlog)} in uWSGI's configuration`,
  async start(lab, { backlog, burn }) {
    const { programs, processes, signal } = lab;
    const context = { programs, processes, signal, backlog, wsgi: undefined, app: undefined };
    const { target, hopTarget, logs, stop } = await startStack(stackNamed('nginx-uwsgi-unix'), context);
    const log = logs.find((file) => file.endsWith('nginx-error.log'));
    if (hopTarget === undefined || log === undefined) throw new Error('a stack without a hop');
    return { asked: { target, work: jsonWork(burn) }, hop: hopTarget, log: new Log(log), stop };
  },
};
