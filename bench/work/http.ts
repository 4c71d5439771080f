/** The http servers: node:http, straight or listening through nearwire. */
import type { RequestListener, Server } from 'node:http';

import { listen } from './stream.js';
import type { Target, Words } from './words.js';

export type HttpServerMaker = (handler: RequestListener) => Server;

export function serveHttp(createServer: HttpServerMaker, words: Words, target: Target): void {
  listen(createServer(handlerOf(words)), target);
}

function handlerOf(words: Words): RequestListener {
  if (words.case !== 'http-body')
    return answer(`${'hello world'.padEnd(words.body - 1, '.').slice(0, words.body - 1)}\n`);
  return words.way === 'upload' ? receive(words.bytes) : answer(Buffer.alloc(words.bytes, 'x'));
}

function answer(body: string | Buffer): RequestListener {
  const headers = { 'Content-Type': 'text/plain', 'Content-Length': Buffer.byteLength(body) };
  return (_request, response) => {
    response.writeHead(200, headers);
    response.end(body);
  };
}

function receive(bytes: number): RequestListener {
  const headers = { 'Content-Type': 'text/plain', 'Content-Length': 2 };
  return (request, response) => {
    let received = 0;
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    request.on('end', () => {
      response.writeHead(received === bytes ? 200 : 400, headers);
      response.end('ok');
    });
  };
}
