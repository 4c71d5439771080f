/** Files that a command writes when it ends. */
import { accessSync, constants, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { UsageError } from './usage.js';

/** Prints a command's result, or writes it into the file of `--output`. */
export function print(text: string, file: string | undefined): void {
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(file, text);
}

/** The JSON format of all commands: indented by two spaces, with a final line break. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Checked first, so that minutes are not spent on a result that cannot be saved. */
export function checkWritable(files: Readonly<Record<string, string | undefined>>): void {
  for (const [option, file] of Object.entries(files)) {
    if (file !== undefined) checkOne(option, file);
  }
}

/** A folder for result files, checked first for the same reason. */
export function makeFolder(option: string, folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new UsageError(`${option} ${folder}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function checkOne(option: string, file: string): void {
  const folder = dirname(resolve(file));
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw new UsageError(`${option} ${file}: is a directory`);
    // An existing file is overwritten, whatever its folder's mode allows.
    accessSync(found ? file : folder, constants.W_OK);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${option} ${file}: cannot write into ${folder}`);
  }
}
