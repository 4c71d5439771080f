/** The application by itself: called in a process of its own, with no server and no socket around it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { isMessage, numberOf, Peer, PeerError, type Program } from '../peer.js';
import { PACKAGE_ROOT } from '../package-root.js';
import type { ApplicationSample, StackPlace, Work } from './model.js';
import type { MeasureOptions } from './measure.js';
import { takeSlices } from './slices.js';

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
  readonly host: MeasureOptions['host'];
  readonly signal: AbortSignal;
}

export async function measureApplication(
  language: ApplicationSample['language'],
  work: Work,
  round: number,
  options: ApplicationOptions,
): Promise<ApplicationSample> {
  const { values, hostSpeed } = await takeSlices(options.host, 1, () => callAlone(language, work, options));
  const [taken] = values;
  if (!taken) throw new PeerError('the application was not called');
  return { language, work: work.name, round, ...taken, hostSpeed };
}

async function callAlone(
  language: ApplicationSample['language'],
  work: Work,
  options: ApplicationOptions,
): Promise<Pick<ApplicationSample, 'time' | 'cpu'>> {
  const { command, args } = programFor(language, options);
  const words = [work.method, work.path, String(work.requestBytes), String(options.seconds)];
  const peer = new Peer(`the ${language} application alone, ${work.name}`, { command, args }, words, options.signal);
  try {
    const { result } = await peer.expect('result', START_MS + options.seconds * 4e3);
    if (!isMessage(result)) throw new PeerError(`a result is an object, not ${JSON.stringify(result)}`);
    check(work, numberOf(result, 'bytes'));
    return { time: numberOf(result, 'time'), cpu: numberOf(result, 'cpu') };
  } finally {
    await peer.stop();
  }
}

/** The interpreter of the stacks': uWSGI's plugin and mod_wsgi are built for the system's, whatever the PATH has first. */
function pythonCommand(): string {
  const { NEARWIRE_PYTHON3: named, VIRTUAL_ENV: environment } = process.env;
  if (named !== undefined && named !== '') return named;
  const known = [...(environment ? [join(environment, 'bin', 'python3')] : []), '/usr/bin/python3'];
  return known.find((file) => existsSync(file)) ?? 'python3';
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
  return { command: pythonCommand(), args: ['-B', join(PYTHON_FOLDER, 'alone.py'), file, callable] };
}
