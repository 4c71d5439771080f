// Other servers that send "hello world", for time-behind-nginx.mjs. Each is a process of its own, which writes a line to
// its standard output when it listens on a UNIX socket. None of them is a dependency of this package: uWebSockets.js is a
// folder that was brought, Bun a program. usage: node|bun rival-servers.mjs uws|bun|bun-routes PATH [FOLDER]
import { existsSync, unlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const BODY = 'hello world';
const SELF = fileURLToPath(import.meta.url);
const FLOOR = fileURLToPath(new URL('../bench/floor/build/Release/floor', import.meta.url));

/** Serves with the genuine API of each, as its own documentation does. */
const SERVERS = {
  uws(path, folder) {
    const { App } = createRequire(import.meta.url)(resolve(folder));
    const app = App().get('/*', (response) => {
      response.end(BODY);
    });
    return new Promise((done, fail) => {
      app.listen_unix((socket) => (socket ? done() : fail(new Error(`${path}: it can't listen`))), path);
    });
  },
  bun: (path) => globalThis.Bun.serve({ unix: path, fetch: () => new Response(BODY) }),
  'bun-routes': (path) => globalThis.Bun.serve({ unix: path, routes: { '/': new Response(BODY) } }),
};

const FLOOR_WORDS = `serve --case http --family unix --answer ${BODY.length} --address`.split(' ');

/**
 * Those that take part: plain C, which is the limit of the host, and which `npm run build:floor` builds; if given,
 * uWebSockets.js from the folder `uws`, which answers each HTTP/1.0 request by a 505; Bun, the program `bun`.
 */
export function rivals({ uws, bun }) {
  if (!existsSync(FLOOR)) throw new Error('plain C is not built: npm run build:floor');
  const bunRuns = (name) => ({ name, command: bun, words: (path) => [SELF, name, path] });
  return [
    { name: 'C', command: FLOOR, words: (path) => [...FLOOR_WORDS, path] },
    ...(uws
      ? [{ name: 'uws', command: process.execPath, words: (path) => [SELF, 'uws', path, uws], refusesHttp10: true }]
      : []),
    ...(bun ? [bunRuns('bun'), bunRuns('bun-routes')] : []),
  ].map(({ words, command, ...rival }) => ({
    ...rival,
    start: (folder) => [command, words(join(folder, rival.name))],
  }));
}

if (resolve(process.argv[1] ?? '') === SELF) {
  const [name, path, folder] = process.argv.slice(2);
  if (existsSync(path)) unlinkSync(path);
  await SERVERS[name](path, folder);
  console.log('up');
}
