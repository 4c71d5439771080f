/** node:http alone: what stands behind nginx, HAProxy and http-proxy, and before the client libraries. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { bodyOf } from '../bodies.js';
import type { Observer } from '../observer.js';
import type { Address, Seam } from '../seam.js';

async function answer(observer: Observer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  switch (pathname) {
    case '/bytes':
      response.end(bodyOf(Number(searchParams.get('seed')), Number(searchParams.get('length'))));
      return;
    case '/echo': {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.end(Buffer.concat(chunks));
      return;
    }
    case '/stream':
      observer.source(Number(searchParams.get('length'))).pipe(response);
      return;
    case '/upload':
      response.end(JSON.stringify(await observer.check(request, searchParams.get('speed') === 'slow')));
      return;
    case '/stats':
      response.end(JSON.stringify(observer.stats()));
      return;
    default:
      response.writeHead(404).end();
  }
}

export function start(seam: Seam, address: Address, observer: Observer): Server {
  const server = seam.createServer({}, (request, response) => {
    answer(observer, request, response).catch(() => response.destroy());
  });
  return server.listen(address);
}
