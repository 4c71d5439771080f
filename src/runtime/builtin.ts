/** A module of node's own as `require` gives it: without reading its exports, which an ES import does, getters and all. */
import { createRequire } from 'node:module';

export const builtin: (name: string) => unknown =
  // Not in Node 22.0 to 22.2.
  'getBuiltinModule' in process ? process.getBuiltinModule : createRequire(import.meta.url);
