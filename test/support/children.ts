/** Small programs in processes of their own: for what ends a process, or needs two. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cleanup } from './sockets.js';
import type { SubjectName } from './subjects.js';

const library = fileURLToPath(new URL('../../dist/bundle/index.js', import.meta.url));
/** Longer than any child of ours needs, under AddressSanitizer on a slow host too; its end by this is a failure. */
const PATIENCE_MILLIS = 60_000;

const HEAD = `
import { once } from 'node:events';
const { createServer, connect, Socket } = await import(process.env.SUBJECT === 'node:net' ? 'node:net' : ${JSON.stringify(library)});
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
`;

/**
 * Starts a module that has `createServer`, `connect` and `Socket` of the subject, and `say(value)`. `more` are its
 * descriptors from 3 on.
 */
export function startChild(
  subject: SubjectName,
  code: string,
  words: readonly string[] = [],
  more: readonly (number | 'pipe' | 'ipc')[] = [],
): ChildProcess {
  const transport = subject === 'node:net' ? 'js' : subject;
  const child = spawn(process.execPath, ['--input-type=module', '-e', HEAD + code, ...words], {
    env: { ...process.env, SUBJECT: subject, NEARWIRE_TRANSPORT: transport },
    stdio: ['pipe', 'pipe', 'pipe', ...more],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MILLIS);
  child.on('exit', () => {
    clearTimeout(timer);
  });
  cleanup(() => child.kill('SIGKILL'));
  return child;
}

export interface ChildResult {
  code: number | null;
  signal: string | null;
  said: unknown[];
  stderr: string;
}

/** The values that the child said, its exit code and what it wrote to stderr. */
export async function childResult(child: ChildProcess): Promise<ChildResult> {
  let out = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  const said = out
    .split('\n')
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line));
  return { code, signal, said, stderr };
}

export function runChild(subject: SubjectName, code: string, words: readonly string[] = []): Promise<ChildResult> {
  return childResult(startChild(subject, code, words));
}

/** The next value that the child says; what it wrote to stderr is told if it ends without one. */
export function heard(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let out = '';
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const onData = (chunk: Buffer): void => {
      out += chunk.toString();
      const end = out.indexOf('\n');
      if (end < 0) return;
      child.stdout?.off('data', onData);
      resolve(JSON.parse(out.slice(0, end)));
    };
    child.stdout?.on('data', onData);
    child.once('close', (code) => {
      reject(new Error(`the child ended with ${String(code)} before it said anything\n${errors}`));
    });
  });
}
