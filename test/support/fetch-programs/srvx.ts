/** The `fetch` of a server of srvx's, with a middleware, and with responses of its own class. */
import { Readable } from 'node:stream';
import { FastResponse, serve, type Server, type ServerRequest } from 'srvx';
import type { FetchInfo } from 'nearwire/http';
import { countUpload, endless, entriesOf, pieces, waitForAbort, type Events, type FetchProgram } from './contract.js';
import { whereListens } from './where.js';

type Route = (request: ServerRequest, url: URL) => Response | Promise<Response>;

function routesOf(events: Events): Record<string, Route> {
  return {
    'GET /text': () => new FastResponse('text'),
    'GET /query': (_, { searchParams }) => FastResponse.json(Object.fromEntries(searchParams)),
    'GET /large': () => new FastResponse('a€'.repeat(500_000)),
    'POST /json': async (request) => Response.json({ read: await request.json() }),
    'POST /form': async (request) => FastResponse.json(await entriesOf(request)),
    'GET /stream': () => new FastResponse(pieces()),
    'POST /echo': ({ body }) => new FastResponse(body === null ? '' : Readable.from(body)),
    'GET /endless': () => new FastResponse(endless(events)),
    'GET /waits': async (request) => new Response(await waitForAbort(events, request)),
    'POST /upload': async (request) => new Response(await countUpload(events, request)),
    'GET /cookies': ({ headers }) => {
      const response = new FastResponse(/c=(\w*)/.exec(headers.get('cookie') ?? '')?.[1]);
      response.headers.append('Set-Cookie', 'a=1');
      response.headers.append('Set-Cookie', 'b=2');
      return response;
    },
    'GET /redirect': () => FastResponse.redirect('http://x/text', 302),
    'GET /cached': ({ headers }) => {
      const init = { headers: { ETag: '"tag"' } };
      const isFresh = headers.get('if-none-match') !== '"tag"';
      return isFresh ? new FastResponse('fresh', init) : new FastResponse(null, { status: 304, ...init });
    },
    'GET /throws': () => {
      throw new Error('thrown');
    },
    'GET /teapot': () => new FastResponse(null, { status: 418, statusText: 'Teapot' }),
    'GET /ip': ({ ip }) => new FastResponse(ip),
  };
}

function makeServer(events: Events): Server {
  const routes = routesOf(events);
  return serve({
    manual: true,
    silent: true,
    port: 0,
    hostname: '127.0.0.1',
    middleware: [
      (request, next) => (request.headers.has('x-barred') ? new Response('barred', { status: 403 }) : next()),
    ],
    fetch(request) {
      const url = new URL(request.url);
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      return routes[`${method} ${url.pathname}`]?.(request, url) ?? new FastResponse('none', { status: 404 });
    },
    error: () => new FastResponse('failed', { status: 500 }),
  });
}

export const srvx: FetchProgram = {
  name: 'srvx',
  makeApp(events) {
    const { fetch } = makeServer(events);
    return (request: Request, { remoteAddress }: FetchInfo) => fetch(Object.assign(request, { ip: remoteAddress }));
  },
  async listen(events) {
    const server = makeServer(events);
    await server.serve();
    return whereListens(server.node?.server);
  },
};
