// Other servers that do what an app of time-behind-nginx.mjs does. Each is a process of its own, which writes a line to its
// standard output when it listens on a UNIX socket. None of them is a dependency of this package: uWebSockets.js is a
// folder that was brought, Bun a program. usage: node|bun rival-servers.mjs NAME APP PATH [FOLDER]
import { existsSync, unlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { growHeap } from './grown-heap.mjs';

const BODY = 'hello world';
const JSON_TYPE = 'application/json';
const SELF = fileURLToPath(import.meta.url);
const FLOOR = fileURLToPath(new URL('../bench/floor/build/Release/floor', import.meta.url));

function uws(addRoute, path, folder) {
  const app = createRequire(import.meta.url)(resolve(folder)).App();
  addRoute(app);
  return new Promise((done, fail) => {
    app.listen_unix((socket) => (socket ? done() : fail(new Error(`${path}: it can't listen`))), path);
  });
}

function answerPosted(response) {
  let body = Buffer.alloc(0);
  response.onAborted(() => {});
  response.onData((piece, isLast) => {
    // What is lent is valid in this call only.
    body = isLast && body.length === 0 ? Buffer.from(piece) : Buffer.concat([body, Buffer.from(piece)]);
    if (isLast) response.writeHeader('Content-Type', JSON_TYPE).end(JSON.stringify(JSON.parse(body.toString())));
  });
}

/** By app and name. They serve with the genuine interface of each, as its own documentation does. */
const SERVERS = {
  hello: {
    uws: (path, folder) => uws((app) => app.get('/*', (response) => response.end(BODY)), path, folder),
    bun: (path) => globalThis.Bun.serve({ unix: path, fetch: () => new Response(BODY) }),
    'bun-routes': (path) => globalThis.Bun.serve({ unix: path, routes: { '/': new Response(BODY) } }),
  },
  json: {
    uws(path, folder) {
      growHeap();
      return uws((app) => app.post('/*', answerPosted), path, folder);
    },
    bun(path) {
      growHeap();
      globalThis.Bun.serve({ unix: path, fetch: async (request) => Response.json(await request.json()) });
    },
  },
};

const FLOOR_WORDS = `serve --case http --family unix --answer ${BODY.length} --address`.split(' ');

/**
 * Those that take part in an app, none if there are none for it: for "hello" plain C, which is the limit of the host, and
 * which `npm run build:floor` builds; if given, uWebSockets.js from the folder `uws`, which answers each HTTP/1.0 request
 * by a 505; Bun, the program `bun`.
 */
export function rivals({ app = 'hello', uws: folder, bun }) {
  if (!existsSync(FLOOR)) throw new Error('plain C is not built: npm run build:floor');
  const all = [
    ...(app === 'hello' ? [{ name: 'C', command: FLOOR, words: (path) => [...FLOOR_WORDS, path] }] : []),
    ...Object.keys(SERVERS[app] ?? {}).map((name) => ({
      name,
      command: name === 'uws' ? process.execPath : bun,
      words: (path) => [SELF, name, app, path, ...(name === 'uws' ? [folder] : [])],
      refusesHttp10: name === 'uws',
    })),
  ];
  return all
    .filter(({ name, command }) => (name === 'uws' ? folder : command) !== undefined)
    .map(({ words, command, ...rival }) => ({ ...rival, start: (at) => [command, words(join(at, rival.name))] }));
}

if (resolve(process.argv[1] ?? '') === SELF) {
  const [name, app, path, folder] = process.argv.slice(2);
  if (existsSync(path)) unlinkSync(path);
  await SERVERS[app][name](path, folder);
  console.log('up');
}
