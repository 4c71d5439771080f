/** Returns one of node's own modules as `require` does. An ES import would read all its exports, including getters. */
import { createRequire } from 'node:module';

export const builtin: (name: string) => unknown =
  // Missing in Node 22.0 to 22.2.
  'getBuiltinModule' in process ? process.getBuiltinModule : createRequire(import.meta.url);
