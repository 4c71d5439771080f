/** The servers of node:http. */
import { statSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import { burn } from '../cost/apps/application.js';
import { floorPattern } from './pattern.js';
import { listen } from './stream.js';
import type { Subject } from './subject.js';
import type { Target, Words } from './words.js';

export function serveHttp(subject: Subject, words: Words, target: Target): void {
  listen(subject.createHttpServer(handlerOf(subject, words)), target);
}

/** The request handler of a case. */
export function handlerOf(subject: Subject, words: Words): RequestListener {
  switch (words.case) {
    case 'file': {
      const file = { path: words.file, size: statSync(words.file).size };
      return (_request, response) => {
        subject.sendFile(response, file);
      };
    }
    case 'page':
    case 'crowd':
      return answer(subject.pageOf(floorPattern(words.bytes)));
    case 'http-body':
      return words.way === 'upload' ? receive(words.bytes) : answerAnew(words.bytes);
    case 'http-same':
      return answer(floorPattern(words.bytes));
    case 'load':
      if (words.json > 0) return answerJson;
      if (words.heap > 0) return overHeap(words.heap, answer(hello(words.body)));
      if (words.compute > 0) return afterComputing(words.compute, answer(hello(words.body)));
      return answer(hello(words.body));
    default:
      return answer(hello(words.body));
  }
}

function hello(bytes: number): string {
  return `${'hello world'.padEnd(bytes - 1, '.').slice(0, bytes - 1)}\n`;
}

function afterComputing(milliseconds: number, handler: RequestListener): RequestListener {
  return (request, response) => {
    burn(milliseconds);
    handler(request, response);
  };
}

function answer(body: string | Buffer): RequestListener {
  const headers = { 'Content-Type': 'text/plain', 'Content-Length': Buffer.byteLength(body) };
  return (_request, response) => {
    response.writeHead(200, headers);
    response.end(body);
  };
}

/** With a new Buffer each time: the client checks the number at its start. */
function answerAnew(bytes: number): RequestListener {
  const headers = { 'Content-Type': 'text/plain', 'Content-Length': bytes };
  let made = 0;
  return (_request, response) => {
    const body = Buffer.alloc(bytes, 'x');
    body.writeUInt32LE(++made);
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

/** Objects that each request replaces: their predecessors become old garbage. */
const REPLACED = 10;
/** Objects made between two checks of the heap's size. */
const BATCH = 10_000;

function entryOf(id: number): object {
  return { id, name: `entry ${String(id)}`, tags: [`a${String(id)}`, `b${String(id)}`] };
}

/** With this many MB of small live objects, which a collection has to mark. */
function overHeap(megabytes: number, handler: RequestListener): RequestListener {
  const live: object[] = [];
  const full = process.memoryUsage().heapUsed + megabytes * 1e6;
  while (process.memoryUsage().heapUsed < full) {
    for (let left = BATCH; left > 0; left--) live.push(entryOf(live.length));
  }
  let next = 0;
  return (request, response) => {
    for (let left = REPLACED; left > 0; left--) {
      live[next] = entryOf(next);
      next = (next + 1) % live.length;
    }
    handler(request, response);
  };
}

/** Parses the body, and responds with the same content as JSON. */
function answerJson(request: IncomingMessage, response: ServerResponse): void {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const said: unknown = JSON.parse(Buffer.concat(parts).toString());
    const body = JSON.stringify(said);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
}
