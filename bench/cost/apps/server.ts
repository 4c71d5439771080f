/**
 * A JavaScript app server, run by node or by bun: `node server.js '{"server": "node:http", "listen": {"path":
 * "app.sock"}}'`.
 */
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { ListenOptions } from 'node:net';

import { answerTo } from './application.js';
import { loadApp } from './user-app.js';

export interface ServerWords {
  readonly server: keyof typeof SERVERS;
  /** `backlog` undefined: node's default, 511. */
  readonly listen: ListenOptions;
  /** A user's own application instead of the built-in one. */
  readonly app?: string | undefined;
  /** The file of uWebSockets.js. */
  readonly module?: string;
}

/** The parts of the APIs of uWebSockets.js and Bun that are used here. */
interface UwsResponse {
  writeStatus(status: string): UwsResponse;
  writeHeader(name: string, value: string): UwsResponse;
  end(body?: string | Buffer): UwsResponse;
}
interface UwsRequest {
  getUrl(): string;
  getQuery(): string | undefined;
}
interface UwsApp {
  get(path: string, handler: (response: UwsResponse, request: UwsRequest) => void): UwsApp;
  listen_unix(callback: (listening: unknown) => void, path: string): UwsApp;
}
declare const Bun: { serve(options: { unix: string; fetch(request: Request): Response }): unknown };

/** Each loads only what it needs, so that node:http is measured in a process without nearwire. */
const SERVERS = {
  'node:http': async (words: ServerWords) => serveNode(words, await import('node:http')),
  'nearwire/http': async (words: ServerWords) => serveNode(words, await import('nearwire/http')),
  'nearwire/uwsgi': async (words: ServerWords) => serveNode(words, await import('nearwire/uwsgi')),
  'uWebSockets.js': serveUws,
  bun: serveBun,
};

interface NodeServers {
  createServer(listener: RequestListener): { listen(options: ListenOptions): unknown };
}

async function serveNode({ listen, app }: ServerWords, { createServer }: NodeServers): Promise<void> {
  createServer(app === undefined ? handler : await loadApp(app)).listen(listen);
}

const handler: RequestListener = (request, response) => {
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  const found = mark < 0 ? answerTo(url, '') : answerTo(url.slice(0, mark), url.slice(mark + 1));
  if (found === undefined) {
    response.writeHead(404, { 'Content-Length': 0 }).end();
    return;
  }
  response.writeHead(200, { 'Content-Type': found.type, 'Content-Length': found.body.length });
  response.end(found.body);
};

function serveUws({ listen: { path = '' }, module = '' }: ServerWords): void {
  const { App } = createRequire(import.meta.url)(module) as { App(): UwsApp };
  App()
    .get('/*', (response, request) => {
      const found = answerTo(request.getUrl(), request.getQuery() ?? '');
      if (found === undefined) response.writeStatus('404 Not Found').end();
      else response.writeHeader('Content-Type', found.type).end(found.body);
    })
    .listen_unix((listening) => {
      if (!listening) throw new Error(`cannot listen on ${path}`);
    }, path);
}

function serveBun({ listen: { path = '' } }: ServerWords): void {
  Bun.serve({
    unix: path,
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      const found = answerTo(pathname, search.slice(1));
      if (found === undefined) return new Response(null, { status: 404 });
      return new Response(found.body, { headers: { 'Content-Type': found.type } });
    },
  });
}

const words = JSON.parse(process.argv[2] ?? '') as ServerWords;
await SERVERS[words.server](words);
