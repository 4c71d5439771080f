/** What a subject is to its workers: nearwire, node's own modules, or a module that users bring. */
import { createReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type * as net from 'node:net';

// It keeps stdout for itself.
import './control.js';
import { isHttp } from './http-cases.js';
import type { ServedFile, Subject, SubjectModule } from './subject.js';
import type { Words } from './words.js';

/** As a program is written that thinks of nothing. */
const STRAIGHT = {
  write: (socket: net.Socket, chunk: Buffer) => socket.write(chunk),
  relay(a: net.Socket, b: net.Socket) {
    a.pipe(b);
    b.pipe(a);
  },
  /** That it knows the size, and asks for no other, is in its favour. */
  sendFile(response: ServerResponse, { path, size }: ServedFile) {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': size });
    createReadStream(path).pipe(response);
  },
  pageOf: (bytes: Buffer) => bytes,
};

/** It has what its case needs: a process is to load no more. */
export async function subjectOf(words: Words): Promise<Subject> {
  const own = words.module === '' ? await builtIn(words) : await importSubject(words.module);
  return { ...STRAIGHT, ...own } as Subject;
}

export async function importSubject(url: string): Promise<Partial<Subject>> {
  // Who reads ours reads nothing else there.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  const exported = (await import(url)) as SubjectModule & { readonly default?: SubjectModule };
  return { ...exported.default, ...exported, write: STRAIGHT.write };
}

async function builtIn(words: Words): Promise<Partial<Subject>> {
  if (words.subject === 'node:net tuned') return (await import('./tuned.js')).tunedFor(words);
  if (words.subject !== 'node:net') return isHttp(words.case) ? nearwireHttp(words) : nearwireNet(words);
  if (!isHttp(words.case)) return import('node:net');
  const { createServer } = await import('node:http');
  const { sendBufferSize } = words;
  if (sendBufferSize === 0) return { createHttpServer: (handler) => createServer(handler) };
  const { setSocketOptions } = await import('nearwire/tune');
  return {
    // node:http has no option for it: it is set on each connection.
    createHttpServer: (handler) =>
      createServer(handler).on('connection', (socket) => {
        setSocketOptions(socket, { sendBufferSize });
      }),
  };
}

function transportOf({ subject }: Words): 'native' | 'js' {
  return subject === 'js' ? 'js' : 'native';
}

async function nearwireNet(words: Words): Promise<Partial<Subject>> {
  const { createServer, connect, relay } = await import('nearwire');
  const transport = transportOf(words);
  return {
    createServer: (options, listener) => createServer({ ...options, transport }, listener),
    connect: (target, listener) => connect({ ...target, transport }, listener),
    relay(a, b) {
      // However it ends: the client has had enough.
      relay(a, b, () => undefined);
    },
  };
}

async function nearwireHttp(words: Words): Promise<Partial<Subject>> {
  const { Page } = await import('nearwire');
  const { createServer, sendFile } = await import('nearwire/http');
  const { sendBufferSize } = words;
  // One below the system's is meant too.
  const options = {
    transport: transportOf(words),
    ...(sendBufferSize > 0 && { sendBufferSize, allowSmallBuffers: true }),
  };
  return {
    createHttpServer: (handler) => createServer(options, handler),
    sendFile(response, { path }) {
      // A client that goes away in the midst of it has had enough.
      sendFile(response, path).catch(() => undefined);
    },
    pageOf: (bytes) => Page.from(bytes),
  };
}
