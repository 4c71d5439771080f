/** Where an app server listens: a socket in the stack's folder, or a port. */
import { freePort } from '../free-port.js';
import type { Hop, Target } from '../model.js';
import type { Parts } from './parts.js';

export async function makeTarget(parts: Parts, family: Hop['family']): Promise<Target> {
  if (family === 'unix') return { path: parts.file('app.sock') };
  return { host: '127.0.0.1', port: await freePort() };
}
