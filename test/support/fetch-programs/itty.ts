/** An app of itty-router's, which has no server for node. */
import { AutoRouter, json, StatusError, type IRequest } from 'itty-router';
import { countUpload, endless, entriesOf, pieces, waitForAbort, type Events, type FetchProgram } from './contract.js';

function makeRouter(events: Events): (request: Request, ip: string | undefined) => Promise<Response> {
  const router = AutoRouter<IRequest, [ip: string | undefined]>({
    catch: (error: { status?: number; message: string }) =>
      json({ error: error.message }, { status: error.status ?? 500 }),
  });
  router.all('/text', () => new Response('text'));
  router.get('/query', ({ query }) => query);
  router.get('/large', () => new Response('a€'.repeat(500_000)));
  router.post('/json', async (request) => ({ read: await request.json() }));
  router.post('/form', (request) => entriesOf(request));
  router.get('/stream', () => new Response(pieces()));
  router.post('/echo', ({ body }) => new Response(body as ReadableStream));
  router.get('/endless', () => new Response(endless(events)));
  router.get('/waits', async (request) => new Response(await waitForAbort(events, request)));
  router.post('/upload', async (request) => new Response(await countUpload(events, request)));
  router.get('/cookies', ({ headers }) => {
    const response = new Response(/c=(\w*)/.exec(headers.get('cookie') ?? '')?.[1]);
    response.headers.append('Set-Cookie', 'a=1');
    response.headers.append('Set-Cookie', 'b=2');
    return response;
  });
  router.get('/redirect', () => Response.redirect('http://x/text', 302));
  router.get('/cached', ({ headers }) => {
    const init = { headers: { ETag: '"tag"' } };
    const isFresh = headers.get('if-none-match') !== '"tag"';
    return isFresh ? new Response('fresh', init) : new Response(null, { status: 304, ...init });
  });
  router.get('/throws', () => {
    throw new Error('thrown');
  });
  router.get('/teapot', () => {
    throw new StatusError(418, 'Teapot');
  });
  router.get('/ip', (_, ip) => new Response(ip));
  return (request, ip) => router.fetch(request, ip) as Promise<Response>;
}

export const itty: FetchProgram = {
  name: 'itty-router',
  makeApp(events) {
    const answer = makeRouter(events);
    return (request, { remoteAddress }) => answer(request, remoteAddress);
  },
};
