#!/usr/bin/env node
/** The command `nearwire`: one file per subcommand. Those that measure are in the package nearwire-bench. */
import { BENCH_COMMANDS, benchPackage } from './bench-package.js';
import { columns, type Command } from './command.js';
import { EXIT_CODES } from './exit-codes.js';
import { packageVersion } from './package-version.js';
import { nearest, UsageError } from './usage.js';

/** In the order of the help. Each is loaded on use. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['status', async () => (await import('./status.js')).statusCommand],
  ['doctor', async () => (await import('./doctor.js')).doctorCommand],
  ['inspect', async () => (await import('./inspect.js')).inspectCommand],
  ['queue', async () => (await import('./queue.js')).queueCommand],
  ['completion', async () => (await import('./completion.js')).completionCommand(ownCommands)],
]);

function ownCommands(): Promise<Command[]> {
  return Promise.all([...COMMANDS.values()].map((load) => load()));
}

async function overview(): Promise<string> {
  const own = (await ownCommands()).map(({ name, summary }) => [name, summary] as const);
  const measuring = [...BENCH_COMMANDS].map(([name, summary]) => [name, summary] as const);
  return `Usage: nearwire <command> [options]

A native UNIX and TCP socket transport for Node, and its tools.

Commands:
${columns(own).join('\n')}

From the package nearwire-bench:
${columns(measuring).join('\n')}

nearwire <command> --help lists the options. Exit codes: 0 ok, 1 something was found or failed, 2 invalid arguments,
3 not available, 4 unknown; 128 plus its number when ended by a signal.
`;
}

async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === '--version' || name === '-V') {
    process.stdout.write(`${packageVersion()}\n`);
    return;
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const [about] = args;
    if (name === 'help' && about !== undefined) return main([about, '--help']);
    if (name !== undefined) {
      process.stdout.write(await overview());
      return;
    }
    process.stderr.write(await overview());
    process.exitCode = EXIT_CODES.usage;
    return;
  }
  const load = COMMANDS.get(name);
  if (load !== undefined) return (await load()).execute(args);
  if (BENCH_COMMANDS.has(name)) return (await benchPackage(name)).run([name, ...args]);
  const near = nearest(name, [...COMMANDS.keys(), ...BENCH_COMMANDS.keys(), '--version', '--help']);
  throw new UsageError(`unknown command '${name}'.${near === undefined ? '' : ` Did you mean ${near}?`}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = error.exitCode;
}
