/** The application by itself: called in a process of its own, with no server and no socket around it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { isMessage, numberOf, Peer, PeerError, type Program } from '../peer.js';
import { PACKAGE_ROOT } from '../package-root.js';
import type { ApplicationSample, StackPlace, Work } from './model.js';

const CALLER = join(PACKAGE_ROOT, 'dist', 'bench', 'cost', 'call-app.js');
const PYTHON_FOLDER = join(PACKAGE_ROOT, 'bench', 'cost', 'apps', 'python');
const NODE_HANDLER = join(PACKAGE_ROOT, 'dist', 'bench', 'cost', 'apps', 'handler.js');
/** To start and to load an application of any size. */
const START_MS = 30_000;

/** Those whose applications can be called without their server. */
export const CALLABLE: readonly ApplicationSample['language'][] = ['python', 'node'];

export interface ApplicationOptions {
  readonly wsgi: StackPlace['wsgi'];
  readonly app: StackPlace['app'];
  /** Of calls, after half as many to warm up. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

export async function measureApplication(
  language: ApplicationSample['language'],
  work: Work,
  round: number,
  options: ApplicationOptions,
): Promise<ApplicationSample> {
  const { command, args } = programFor(language, options);
  const words = [work.method, work.path, String(work.requestBytes), String(options.seconds)];
  const peer = new Peer(`the ${language} application alone, ${work.name}`, { command, args }, words, options.signal);
  try {
    const { result } = await peer.expect('result', START_MS + options.seconds * 4e3);
    if (!isMessage(result)) throw new PeerError(`a result is an object, not ${JSON.stringify(result)}`);
    check(work, numberOf(result, 'bytes'));
    return { language, work: work.name, round, time: numberOf(result, 'time'), cpu: numberOf(result, 'cpu') };
  } finally {
    await peer.stop();
  }
}

/** It must be the same work as the stacks'. */
function check({ name, answerBytes }: Work, bytes: number): void {
  if (answerBytes === undefined || answerBytes === bytes) return;
  throw new PeerError(`called alone, ${name} answers ${String(bytes)} bytes and not ${String(answerBytes)}`);
}

function programFor(language: ApplicationSample['language'], { wsgi, app }: ApplicationOptions): Program {
  if (language === 'node') return { command: process.execPath, args: [CALLER, app ?? NODE_HANDLER] };
  const { file, callable } = wsgi ?? { file: join(PYTHON_FOLDER, 'app.py'), callable: 'application' };
  if (!existsSync(file)) throw new PeerError(`there is no ${file}`);
  // -B: no __pycache__ in a folder that may be another user's.
  return { command: 'python3', args: ['-B', join(PYTHON_FOLDER, 'alone.py'), file, callable] };
}
