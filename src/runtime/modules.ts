/**
 * Node's modules that most programs never load, each loaded on first use: together they take longer to load than all of
 * nearwire. They are loaded as `require` does, since ES namespaces cannot be patched.
 */
import type * as childProcess from 'node:child_process';
import type { Cluster } from 'node:cluster';
import type * as dns from 'node:dns';
import type * as http2 from 'node:http2';
import type * as tls from 'node:tls';
import type * as v8 from 'node:v8';
import type * as workerThreads from 'node:worker_threads';
import { builtin } from './builtin.js';

/** Exports that nearwire replaces, although the namespaces' types do not permit it. */
type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

interface Modules {
  'node:child_process': typeof childProcess;
  'node:cluster': Cluster;
  'node:dns': typeof dns;
  'node:http2': Writable<typeof http2>;
  'node:tls': Writable<typeof tls>;
  'node:v8': typeof v8;
  'node:worker_threads': typeof workerThreads;
}

/** Returns a function that loads the module on its first call. */
function lazily<Name extends keyof Modules>(name: Name): () => Modules[Name] {
  let module: Modules[Name] | undefined;
  return () => (module ??= builtin(name) as Modules[Name]);
}

export const nodeChildProcess = lazily('node:child_process');
export const nodeCluster = lazily('node:cluster');
export const nodeDns = lazily('node:dns');
export const nodeHttp2 = lazily('node:http2');
export const nodeTls = lazily('node:tls');
export const nodeV8 = lazily('node:v8');
export const nodeWorkerThreads = lazily('node:worker_threads');
