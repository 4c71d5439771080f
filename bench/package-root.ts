import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function find(): string {
  // This file is in bench/ of a clone, or in dist/ of this package.
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** The folder of this package, nearwire-bench. */
export const PACKAGE_ROOT = find();

/** Of a clone: what is above it belongs to others where it is installed. */
export const REPOSITORY = dirname(PACKAGE_ROOT);

export function ownVersion(): string {
  return versionIn(join(PACKAGE_ROOT, 'package.json'));
}

/** The version of nearwire that is measured. */
export function nearwireVersion(): string {
  return versionIn(createRequire(import.meta.url).resolve('nearwire/package.json'));
}

function versionIn(file: string): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
