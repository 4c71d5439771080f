/** What an import of each entry loads: the parts of node that a program may do without, and few files. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { childResult } from '../support/children.js';
import { cleanup } from '../support/sockets.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { default: string }>;
};
/** What nearwire-bench has of all rooms: no program imports it. */
const NOT_PUBLIC = './internal';
const entries = Object.entries(exports).flatMap(([name, target]) =>
  typeof target === 'string' || name === NOT_PUBLIC
    ? []
    : [{ entry: join('nearwire', name), file: join(root, target.default) }],
);

/** As `process.moduleLoadList` names them. Each takes longer than all of nearwire, or loads one that does. */
const HEAVY = ['http', 'http2', 'https', 'tls', 'cluster', 'child_process', 'crypto'];
/** They speak HTTP, and node:http is what they build on. */
const SPEAK_HTTP = ['nearwire/http', 'nearwire/uwsgi'];
/** It patches modules of node's, which therefore have to be there. */
const PATCHES = ['nearwire/register'];

interface Loaded {
  modules: string[];
  addons: string[];
}

const REPORT = `
  import { createRequire } from 'node:module';
  const modules = process.moduleLoadList.map((name) => name.replace(/^NativeModule /, ''));
  const addons = Object.keys(createRequire(import.meta.url).cache).filter((file) => file.endsWith('.node'));
  process.stdout.write(JSON.stringify({ modules, addons }) + '\\n');`;

async function loadedBy(code: string): Promise<Loaded> {
  const words = ['--input-type=module', '-e', `${code}\n${REPORT}`];
  const child = spawn(process.execPath, words, { env: { ...process.env, NODE_OPTIONS: '' } });
  cleanup(() => child.kill('SIGKILL'));
  const result = await childResult(child);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result.said[0] as Loaded;
}

/** The file and those that it imports, without those that are loaded later. */
function filesOf(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export) (?:.* from )?["'](\.[^"']+)["'];/gm,
  )) {
    filesOf(resolve(dirname(file), path), found);
  }
  return found;
}

describe.each(entries)('an import of $entry', ({ entry, file }) => {
  it('loads none of the heavy modules of node but those that it is about', async () => {
    const bare = await loadedBy('');
    expect(bare.modules.filter((name) => HEAVY.includes(name))).toEqual([]);
    const { modules } = await loadedBy(`import ${JSON.stringify(file)};`);
    const heavy = modules.filter((name) => HEAVY.includes(name));
    if (PATCHES.includes(entry)) expect(heavy).toEqual(expect.arrayContaining(['http', 'http2', 'tls', 'cluster']));
    else expect(heavy).toEqual(SPEAK_HTTP.includes(entry) ? ['http'] : []);
  });

  it('leaves the addon for the first socket or server', async () => {
    const { addons } = await loadedBy(`import ${JSON.stringify(file)};`);
    expect(addons).toHaveLength(PATCHES.includes(entry) && process.env['NEARWIRE_TRANSPORT'] !== 'js' ? 1 : 0);
  });

  it('reads few files', () => {
    expect(filesOf(file).size).toBeLessThanOrEqual(7);
  });
});

const library = JSON.stringify(join(root, 'dist/bundle/index.js'));

async function said(code: string, environment: Record<string, string> = {}): Promise<unknown[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, NODE_OPTIONS: '', NEARWIRE_TRANSPORT: '', ...environment },
  });
  cleanup(() => child.kill('SIGKILL'));
  const result = await childResult(child);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result.said;
}

const SAY = `const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');`;

it("an import of nearwire/http leaves node's fetch API for the first request", async () => {
  const file = JSON.stringify(join(root, 'dist/bundle/http.js'));
  const { modules } = await loadedBy(`import { serve } from ${file}; serve({ fetch: () => undefined });`);
  expect(modules.filter((name) => name.includes('undici'))).toEqual([]);
});

describe('what waits for the first use', () => {
  it.each(['native', 'js'])('is the transport of a subclass of Socket: %s', async (transport) => {
    const answer = await said(`
      import { Socket } from ${library};
      ${SAY}
      // The addon has not been looked for yet.
      process.env.NEARWIRE_TRANSPORT = '${transport}';
      class Own extends Socket {}
      process.env.NEARWIRE_TRANSPORT = '';
      class Late extends Socket {}
      const own = new Own({ transport: '${transport}' });
      say([own.transport, own instanceof Own, own instanceof Socket, own instanceof Late, Socket.name, Own.name]);
      say(Object.getPrototypeOf(Own.prototype) === Socket.prototype && Object.getPrototypeOf(Late.prototype) === Socket.prototype);`);
    expect(answer).toEqual([[transport, true, true, false, 'Socket', 'Own'], true]);
  });

  it('is not what an import in front of it holds: install() patches what was imported by name, before and after', async () => {
    const answer = await said(`
      import tls, { connect, TLSSocket } from 'node:tls';
      import cluster, { fork } from 'node:cluster';
      import { install } from ${library};
      ${SAY}
      const before = [connect, TLSSocket, fork];
      const isPatched = () => [connect, TLSSocket, fork].map((value, i) => value !== before[i]);
      say(isPatched());
      install();
      say(isPatched());
      const later = [await import('node:tls'), await import('node:cluster')];
      say([later[0].connect === connect, later[0].TLSSocket === tls.TLSSocket, later[1].fork === cluster.fork]);`);
    expect(answer).toEqual([
      [false, false, false],
      [true, true, true],
      [true, true, true],
    ]);
  });

  it('is not what an import behind it holds either', async () => {
    const functions = (act: string): Promise<unknown[]> =>
      said(`
        import { install } from ${library};
        ${SAY}
        ${act}
        const [tls, cluster, child] = [await import('node:tls'), await import('node:cluster'), await import('node:child_process')];
        for (const value of [tls.connect, cluster.fork, child.ChildProcess.prototype.spawn, process.send]) say(String(value));`);
    const [nodes, patched] = [await functions(''), await functions('install();')];
    // This process has no parent that it could send to.
    expect(patched.map((text, i) => text === nodes[i])).toEqual([false, false, false, true]);
  });
});
