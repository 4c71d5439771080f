/** The WSGI application that Python's servers run: ours, or the user's. */
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { PACKAGE_ROOT } from '../../package-root.js';
import type { Parts } from './parts.js';

const OURS = join(PACKAGE_ROOT, 'cost', 'apps', 'python');

export interface WsgiApp {
  readonly file: string;
  readonly callable: string;
  /** Where it imports from. */
  readonly folder: string;
  /** The virtual environment that is active and has what a user's application needs. */
  readonly home: string | undefined;
}

/** Of servers that run Python: an application's folder is not to get a `__pycache__` from them. */
export const PYTHON_ENV = { PYTHONDONTWRITEBYTECODE: '1' };

/**
 * Ours is copied into the stack's folder: Apache runs it as another user, who may not enter the folder that nearwire is
 * installed in.
 */
export function wsgiApp(parts: Parts): WsgiApp {
  const { wsgi } = parts.place;
  if (wsgi !== undefined) {
    const file = resolve(wsgi.file);
    // What `activate` sets.
    return { file, callable: wsgi.callable, folder: dirname(file), home: process.env['VIRTUAL_ENV'] || undefined };
  }
  const folder = parts.file('python');
  cpSync(OURS, folder, { recursive: true });
  execFileSync('chmod', ['-R', 'a+rX', folder]);
  return { file: join(folder, 'app.py'), callable: 'application', folder, home: undefined };
}
