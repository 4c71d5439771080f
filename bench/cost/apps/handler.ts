/** The application for node:http's (req, res), whoever serves it. */
import type { IncomingMessage, ServerResponse } from 'node:http';

import { bytesOf, emptyBody, HELLO, jsonBody, millisOf } from './bodies.js';
import { burn } from './burn.js';

export function handler(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  switch (mark < 0 ? url : url.slice(0, mark)) {
    case '/hello':
      answer(response, 'text/plain', HELLO, HELLO.length);
      break;
    case '/empty': {
      const body = emptyBody(bytesOf(url.slice(mark + 1)));
      answer(response, 'text/plain', body, body.length);
      break;
    }
    case '/json': {
      burn(millisOf(url.slice(mark + 1)));
      const body = jsonBody();
      answer(response, 'application/json', body, body.length);
      break;
    }
    default:
      response.writeHead(404, { 'Content-Length': 0 });
      response.end();
  }
}

function answer(response: ServerResponse, type: string, body: string | Buffer, length: number): void {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': length });
  response.end(body);
}
