#!/usr/bin/env node
/** The command `nearwire`: one file per subcommand. */
import { readFileSync } from 'node:fs';

import { Command, CommanderError } from 'commander';

import { benchCommand } from './bench.js';
import { doctorCommand } from './doctor.js';
import { inspectCommand } from './inspect.js';
import { tuneCommand } from './tune.js';
import { UsageError, USAGE_EXIT } from './usage.js';

function packageVersion(): string {
  // dist/src/cli/main.js -> the package's root.
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

const program = new Command('nearwire')
  .description('a native UNIX and TCP socket transport for Node, and what it is worth on this machine')
  .version(packageVersion())
  .showHelpAfterError('(nearwire --help tells all words)')
  .exitOverride();

program.addCommand(benchCommand());
program.addCommand(doctorCommand());
program.addCommand(tuneCommand());
program.addCommand(inspectCommand());
for (const command of program.commands) command.copyInheritedSettings(program);

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
