/** The exports that `nearwire` loads from this package: src/cli/bench-package.ts has the types. */
import { Command, CommanderError } from 'commander';
import { EXIT_CODES, type CommandOutline } from 'nearwire/internal';

import { ownVersion } from '../package-root.js';
import { benchCommand } from './bench.js';
import { costCommand } from './cost.js';
import { tuneCommand } from './tune.js';

export const version = ownVersion();

function makeProgram(): Command {
  const program = new Command('nearwire')
    // Arguments after a subcommand's name belong to it, even if the parent command knows an option of that name.
    .enablePositionalOptions()
    .showHelpAfterError('(see --help for the options)')
    .exitOverride();
  for (const command of [benchCommand(), costCommand(), tuneCommand()]) {
    program.addCommand(command.copyInheritedSettings(program));
    // Commander does not pass these settings to subcommands: an invalid option there would exit with 1.
    for (const below of command.commands) below.copyInheritedSettings(command);
  }
  return program;
}

export async function run(words: readonly string[]): Promise<void> {
  try {
    await makeProgram().parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its message; --help comes here too, with 0.
    process.exitCode = error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
  }
}

export function outlines(): CommandOutline[] {
  return makeProgram().commands.map((command) => ({
    name: command.name(),
    summary: command.description(),
    options: [...command.options.flatMap(({ long, hidden }) => (hidden ? [] : (long ?? []))), '--help'],
  }));
}
