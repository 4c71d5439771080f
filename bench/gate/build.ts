/** Builds another commit beside this tree. */
import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { PACKAGE_ROOT } from '../package-root.js';

export class NoSuchCommit extends Error {}

/** The commit that `ref` names, in short. */
export function commitOf(ref: string): string {
  try {
    return git('rev-parse', '--short', '--verify', '--end-of-options', `${ref}^{commit}`).trim();
  } catch {
    throw new NoSuchCommit(`git knows no commit ${ref}`);
  }
}

/** Checks it out into `folder`, which is not there yet, and builds it with the packages that are installed here. */
export function buildCommit(commit: string, folder: string): void {
  git('worktree', 'add', '--detach', folder, commit);
  symlinkSync(join(PACKAGE_ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const script of ['build:ts', 'build:native']) {
    execFileSync('npm', ['run', '--silent', script], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  }
}

export function removeCommit(folder: string): void {
  git('worktree', 'remove', '--force', folder);
}

function git(...words: readonly string[]): string {
  return execFileSync('git', words, { cwd: PACKAGE_ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
