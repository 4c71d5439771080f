#!/usr/bin/env node
/** The command `nearwire`: one file per subcommand. */
import { readFileSync } from 'node:fs';

import { Command, CommanderError } from 'commander';

import { UsageError, USAGE_EXIT } from './usage.js';

/** In the order of the help. Each is loaded when it is named: `inspect` does without what `bench` measures. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['bench', async () => (await import('./bench.js')).benchCommand()],
  ['cost', async () => (await import('./cost.js')).costCommand()],
  ['status', async () => (await import('./status.js')).statusCommand()],
  ['doctor', async () => (await import('./doctor.js')).doctorCommand()],
  ['tune', async () => (await import('./tune.js')).tuneCommand()],
  ['inspect', async () => (await import('./inspect.js')).inspectCommand()],
]);

function packageVersion(): string {
  // dist/src/cli/main.js -> the package's root.
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** The one that is named, or, for the help and the hints at slips, all of them. */
function namedCommands(words: readonly string[]): Promise<Command>[] {
  const named = COMMANDS.get(words[0] ?? '');
  return named ? [named()] : [...COMMANDS.values()].map((load) => load());
}

const program = new Command('nearwire')
  .description('a native UNIX and TCP socket transport for Node, and what it is worth on this machine')
  .version(packageVersion())
  // What follows a subcommand's name is that one's, though the command above it may know some of the words.
  .enablePositionalOptions()
  .showHelpAfterError('(nearwire --help tells all words)')
  .exitOverride();

for (const command of await Promise.all(namedCommands(process.argv.slice(2)))) {
  program.addCommand(command.copyInheritedSettings(program));
  // Commander hands them to none below: a slip there would exit with 1.
  for (const below of command.commands) below.copyInheritedSettings(command);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`error: ${error.message}`);
    process.exitCode = USAGE_EXIT;
  } else if (error instanceof CommanderError) {
    // It has printed its message by now; --help and --version come here too, with 0.
    process.exitCode = error.exitCode === 0 ? 0 : USAGE_EXIT;
  } else {
    throw error;
  }
}
