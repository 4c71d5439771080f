/** Bun's own server with the same application: `bun bun-server.js SOCKET`. */
import { bytesOf, emptyBody, HELLO, jsonBody, millisOf } from './bodies.js';
import { burn } from './burn.js';

/** What is used of its API. */
interface BunApi {
  serve(options: { unix: string; fetch(request: Request): Response }): unknown;
}

/** Bun's own global. */
declare const Bun: BunApi;

function answer(body: string | Uint8Array, type: string): Response {
  return new Response(body, { headers: { 'Content-Type': type } });
}

Bun.serve({
  unix: process.argv[2] ?? '',
  fetch(request) {
    const { pathname, search } = new URL(request.url);
    switch (pathname) {
      case '/hello':
        return answer(HELLO, 'text/plain');
      case '/empty':
        return answer(emptyBody(bytesOf(search.slice(1))), 'text/plain');
      case '/json':
        burn(millisOf(search.slice(1)));
        return answer(jsonBody(), 'application/json');
      default:
        return new Response(null, { status: 404 });
    }
  },
});
