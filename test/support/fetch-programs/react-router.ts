/** React Router as a framework, with a build written by hand: resource routes, and one page that is rendered as a stream. */
import { once } from 'node:events';
import * as http from 'node:http';
import { createRequestListener } from '@react-router/node';
import { createElement } from 'react';
import { renderToReadableStream } from 'react-dom/server.edge';
import {
  createRequestHandler,
  Outlet,
  redirect,
  ServerRouter,
  useLoaderData,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type ServerBuild,
} from 'react-router';
import { countUpload, endless, entriesOf, pieces, waitForAbort, type Events, type FetchProgram } from './contract.js';
import { whereListens } from './where.js';

type Module = ServerBuild['routes'][string] extends infer R ? NonNullable<R & { module: unknown }>['module'] : never;

interface Context {
  ip: string | undefined;
}

function modulesOf(events: Events): Record<string, Module> {
  const get = (loader: (args: LoaderFunctionArgs<Context>) => unknown): Module => ({ loader }) as Module;
  const post = (action: (args: ActionFunctionArgs<Context>) => unknown): Module => ({ action }) as Module;
  return {
    text: get(() => new Response('text')),
    query: get(({ request }) => Response.json(Object.fromEntries(new URL(request.url).searchParams))),
    large: get(() => new Response('a€'.repeat(500_000))),
    json: post(async ({ request }) => Response.json({ read: await request.json() })),
    form: post(async ({ request }) => Response.json(await entriesOf(request))),
    stream: get(() => new Response(pieces())),
    echo: post(({ request }) => new Response(request.body)),
    endless: get(() => new Response(endless(events))),
    waits: get(async ({ request }) => new Response(await waitForAbort(events, request))),
    upload: post(async ({ request }) => new Response(await countUpload(events, request))),
    cookies: get(({ request }) => {
      const headers = new Headers([
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ]);
      return new Response(/c=(\w*)/.exec(request.headers.get('cookie') ?? '')?.[1], { headers });
    }),
    redirect: get(() => redirect('/text')),
    cached: get(({ request }) => {
      const headers = { ETag: '"tag"' };
      const isFresh = request.headers.get('if-none-match') !== '"tag"';
      return isFresh ? new Response('fresh', { headers }) : new Response(null, { status: 304, headers });
    }),
    throws: get(() => {
      throw new Error('thrown');
    }),
    teapot: get(() => {
      // React Router has it so.
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw new Response(null, { status: 418, statusText: 'Teapot' });
    }),
    ip: get(({ context }) => new Response(context.ip)),
    page: {
      loader: () => ({ name: 'Wörld' }),
      default: () => createElement('p', null, `Hello, ${useLoaderData<{ name: string }>().name}`),
    },
  };
}

function buildOf(events: Events): ServerBuild {
  const inner = Object.entries(modulesOf(events)).map(
    ([id, module]) => [id, { id, path: id, parentId: 'root', module }] as const,
  );
  const page = { default: Outlet, ErrorBoundary: () => createElement('p', null, 'Sorry') } as Module;
  const root = ['root', { id: 'root', path: '', parentId: undefined, module: page }] as const;
  const routes = [root, ...inner];
  const manifest: Record<string, object> = {};
  for (const [id, { path, parentId, module }] of routes) {
    manifest[id] = {
      id,
      path,
      parentId,
      module: `/${id}.js`,
      hasLoader: 'loader' in module,
      hasAction: 'action' in module,
      hasClientLoader: false,
      hasClientAction: false,
      hasClientMiddleware: false,
      hasErrorBoundary: id === 'root',
    };
  }
  const build: object = {
    entry: {
      module: {
        async default(request: Request, status: number, headers: Headers, context: never): Promise<Response> {
          const page = createElement(ServerRouter, { context, url: request.url });
          headers.set('Content-Type', 'text/html; charset=utf-8');
          return new Response(await renderToReadableStream(page), { status, headers });
        },
        handleError: () => undefined,
      },
    },
    routes: Object.fromEntries<object>(routes),
    assets: {
      entry: { imports: [], module: '/entry.js' },
      routes: manifest,
      url: '/m.js',
      version: '1',
    },
    publicPath: '/',
    assetsBuildDirectory: 'build',
    future: { v8_middleware: false, v8_passThroughRequests: false, v8_trailingSlashAwareDataRequests: false },
    ssr: true,
    isSpaMode: false,
    prerender: [],
    routeDiscovery: { mode: 'initial', manifestPath: '/__manifest' },
  };
  // What its compiler writes has more fields, of which a server has no need.
  return build as ServerBuild;
}

export const reactRouter: FetchProgram = {
  name: 'React Router',
  rendersPages: true,
  // @react-router/node does not tell a stream, or who reads a body, that the client is gone.
  ownDiffers: ['a client that goes away in a response', 'a client that goes away in its body'],
  makeApp(events) {
    const handle = createRequestHandler(buildOf(events), 'production');
    return (request, { remoteAddress: ip }) => handle(request, { ip });
  },
  async listen(events) {
    const server = http.createServer(
      createRequestListener({
        build: buildOf(events),
        mode: 'production',
        getLoadContext: (_, { address }) => ({ ip: address }),
      }),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return whereListens(server);
  },
};
