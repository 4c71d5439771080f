/** The http servers: node:http, straight or listening through nearwire. */
import { createReadStream, statSync } from 'node:fs';
import type { RequestListener, Server, ServerResponse } from 'node:http';

import { burn } from '../cost/apps/application.js';
import { answerJson, overHeap } from './load.js';
import { floorPattern } from './pattern.js';
import { listen } from './stream.js';
import { transportOf, type Target, type Words } from './words.js';

export interface ServedFile {
  readonly path: string;
  readonly size: number;
}

/** What subjects differ in. */
export interface HttpSubject {
  createServer(handler: RequestListener): Server;
  /** Answers with a file. */
  sendFile(response: ServerResponse, file: ServedFile): void;
  /** These bytes as a body that is sent many times. */
  pageOf(bytes: Buffer): Buffer;
}

/** It loads what the subject needs and no more. */
export async function httpOf({ subject, module, sendBuffer }: Words): Promise<HttpSubject> {
  if (module !== '') return (await import('./subject-module.js')).httpOfModule(module);
  if (subject === 'node:net') {
    const { createServer } = await import('node:http');
    const createOwn: HttpSubject['createServer'] = (handler) => createServer(handler);
    const create = sendBuffer === 0 ? createOwn : await withSendBuffer(createOwn, sendBuffer);
    return { createServer: create, sendFile: pipeFile, pageOf: (bytes) => bytes };
  }
  if (subject === 'node:net tuned') return (await import('./tuned.js')).tunedHttp;
  const transport = transportOf(subject);
  const { Page } = await import('nearwire');
  const { createServer, sendFile } = await import('nearwire/http');
  // One below the system's is meant too.
  const options = { transport, ...(sendBuffer > 0 && { sendBuffer, allowSmallBuffers: true }) };
  return {
    createServer: (handler) => createServer(options, handler),
    sendFile(response, { path }) {
      // A client that goes away in the midst of it has had enough.
      sendFile(response, path, () => undefined);
    },
    pageOf: (bytes) => Page.from(bytes),
  };
}

/** node:http has no option for it: it is set on each connection. */
async function withSendBuffer(
  create: HttpSubject['createServer'],
  sendBuffer: number,
): Promise<HttpSubject['createServer']> {
  const { setSocketOptions } = await import('nearwire/tune');
  return (handler) =>
    create(handler).on('connection', (socket) => {
      setSocketOptions(socket, { sendBuffer });
    });
}

/** As it is written without us. That it knows the size, and asks for no other, is in its favour. */
export function pipeFile(response: ServerResponse, { path, size }: ServedFile): void {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': size });
  createReadStream(path).pipe(response);
}

export function serveHttp(subject: HttpSubject, words: Words, target: Target): void {
  listen(subject.createServer(handlerOf(subject, words)), target);
}

/** What answers the requests of a case. */
export function handlerOf(subject: HttpSubject, words: Words): RequestListener {
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
      return afterComputing(words.compute, answer(hello(words.body)));
    default:
      return answer(hello(words.body));
  }
}

function hello(bytes: number): string {
  return `${'hello world'.padEnd(bytes - 1, '.').slice(0, bytes - 1)}\n`;
}

function afterComputing(milliseconds: number, handler: RequestListener): RequestListener {
  if (milliseconds === 0) return handler;
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

/** With a Buffer that nobody has seen before: the client looks at the number in front. */
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
