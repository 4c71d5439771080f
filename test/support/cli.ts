/** Runs the command `nearwire` as a user does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The command's file, for where it is not node that starts it. */
export const CLI_MAIN = fileURLToPath(new URL('../../dist/bundle/cli/main.js', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cli {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
}

export function startCli(words: readonly string[], env: NodeJS.ProcessEnv = {}): Cli {
  const child = spawn(process.execPath, [CLI_MAIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  return { child, result: resultOf(child) };
}

export function runCli(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  return startCli(words, env).result;
}

async function resultOf(child: ChildProcess): Promise<CliResult> {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...text };
}
