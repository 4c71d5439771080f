/** The WSGI application that Python's servers run: the built-in one, or the user's. */
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { PACKAGE_ROOT } from '../../package-root.js';
import type { Parts } from './parts.js';

const OURS = join(PACKAGE_ROOT, 'cost', 'apps', 'python');

export interface WsgiApp {
  readonly file: string;
  readonly callable: string;
  /** The folder that it imports from. */
  readonly folder: string;
  /** The active virtual environment, which has what a user's application needs. */
  readonly home: string | undefined;
}

/** For servers that run Python: they must not create a `__pycache__` in an application's folder. */
export const PYTHON_ENV = { PYTHONDONTWRITEBYTECODE: '1' };

/**
 * The built-in one is copied into the stack's folder: Apache runs it as another user, who may not be able to enter the
 * folder in which nearwire is installed.
 */
export function wsgiApp(parts: Parts): WsgiApp {
  const { wsgi } = parts.place;
  if (wsgi !== undefined) {
    const file = resolve(wsgi.file);
    // Set by `activate`.
    return { file, callable: wsgi.callable, folder: dirname(file), home: process.env['VIRTUAL_ENV'] || undefined };
  }
  const folder = parts.file('python');
  cpSync(OURS, folder, { recursive: true });
  execFileSync('chmod', ['-R', 'a+rX', folder]);
  return { file: join(folder, 'app.py'), callable: 'application', folder, home: undefined };
}
