/** The files that the subject `file` sends. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { pattern } from '../work/pattern.js';

/** The file of so many bytes in the folder of a sweep. */
export function bodyFile(folder: string, bytes: number): string {
  return join(folder, `body-${String(bytes)}`);
}

export function writeBodies(folder: string, sizes: readonly number[]): void {
  for (const bytes of sizes) writeFileSync(bodyFile(folder, bytes), pattern(bytes));
}
