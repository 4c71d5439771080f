/** The plain C program: the limit of this host, and the load generator of most cases. */
import { join } from 'node:path';

import { isExecutable } from './executable.js';
import { PACKAGE_ROOT } from './package-root.js';

/**
 * Built in a clone, or shipped with the package. NEARWIRE_FLOOR names another one, as NEARWIRE_ADDON does for the
 * addon.
 */
export function findFloor(): string | undefined {
  const named = process.env['NEARWIRE_FLOOR'];
  const candidates =
    named !== undefined
      ? [named]
      : [
          join(PACKAGE_ROOT, 'floor', 'build', 'Release', 'floor'),
          join(PACKAGE_ROOT, 'prebuilds', `${process.platform}-${process.arch}`, 'floor'),
        ];
  return candidates.find(isExecutable);
}
