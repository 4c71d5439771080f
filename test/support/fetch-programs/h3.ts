/** An app of h3's, which is written for srvx: it asks a request for its `ip`, which serve() hands over in `info`. */
import {
  getCookie,
  getQuery,
  getRequestIP,
  H3,
  handleCacheHeaders,
  HTTPError,
  readBody,
  redirect,
  setCookie,
} from 'h3';
import { serve } from 'srvx';
import type { FetchInfo } from 'nearwire/http';
import { countUpload, endless, entriesOf, pieces, waitForAbort, type Events, type FetchProgram } from './contract.js';
import { whereListens } from './where.js';

function makeH3(events: Events): H3 {
  const app = new H3({ silent: true });
  app.get('/text', () => 'text');
  app.get('/query', (event) => getQuery(event));
  app.get('/large', () => 'a€'.repeat(500_000));
  app.post('/json', async (event) => ({ read: await readBody(event) }));
  app.post('/form', (event) => entriesOf(event.req));
  app.get('/stream', () => pieces());
  app.post('/echo', (event) => event.req.body);
  app.get('/endless', () => endless(events));
  app.get('/waits', (event) => waitForAbort(events, event.req));
  app.post('/upload', (event) => countUpload(events, event.req));
  app.get('/cookies', (event) => {
    setCookie(event, 'a', '1');
    setCookie(event, 'b', '2');
    return getCookie(event, 'c');
  });
  app.get('/redirect', () => redirect('/text', 302));
  app.get('/cached', (event) => {
    if (!handleCacheHeaders(event, { etag: '"tag"' })) return 'fresh';
  });
  app.get('/throws', () => {
    throw new Error('thrown');
  });
  app.get('/teapot', () => {
    throw new HTTPError({ status: 418, statusText: 'Teapot' });
  });
  app.get('/ip', (event) => getRequestIP(event));
  return app;
}

export const h3: FetchProgram = {
  name: 'h3',
  makeApp(events) {
    const app = makeH3(events);
    return (request: Request, { remoteAddress }: FetchInfo) => app.fetch(Object.assign(request, { ip: remoteAddress }));
  },
  async listen(events) {
    const server = serve({ fetch: makeH3(events).fetch, port: 0, hostname: '127.0.0.1', silent: true, manual: true });
    await server.serve();
    return whereListens(server.node?.server);
  },
};
