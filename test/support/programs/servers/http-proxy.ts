/** http-proxy before the plain server: both its ends are the program's. `/front` tells of the proxy's own connections. */
import type { Server } from 'node:http';
import httpProxy from 'http-proxy';
import type { Observer } from '../observer.js';
import { targetOf, type Address, type Seam } from '../seam.js';

export function start(seam: Seam, address: Address, observer: Observer, upstream: Address): Server {
  const target = targetOf(upstream) as httpProxy.ServerOptions['target'];
  const proxy = httpProxy.createProxyServer({ target, agent: seam.agent({ keepAlive: true, maxSockets: 64 }) });
  proxy.on('proxyReq', (proxied, _request, response) => {
    // The client's wish to close is for its own connection. Passed on, node:net's client can meet EPIPE at the end of a
    // large body, as the server closes right behind its answer.
    proxied.setHeader('connection', 'keep-alive');
    // It does not see by itself that a client leaves in the middle of an answer.
    response.on('close', () => {
      // After a whole answer its connection is another request's by now.
      if (!response.writableFinished) proxied.destroy();
    });
  });
  proxy.on('error', (_error, _request, response) => response.destroy());
  const server = seam.createServer({}, (request, response) => {
    if (request.url === '/front') response.end(JSON.stringify(observer.stats()));
    else proxy.web(request, response);
  });
  return server.listen(address);
}
