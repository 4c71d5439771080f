/** Provides a subject to its workers: nearwire, node's own modules, or a user's module. */
import { createReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type * as net from 'node:net';

// It keeps stdout for itself.
import './control.js';
import { isHttp } from './http-cases.js';
import type { ServedFile, Subject, SubjectModule } from './subject.js';
import type { Words } from './words.js';

/** The simplest implementation, as a program without special care has it. */
const STRAIGHT = {
  write: (socket: net.Socket, chunk: Buffer) => socket.write(chunk),
  relay(a: net.Socket, b: net.Socket) {
    a.pipe(b);
    b.pipe(a);
  },
  /** Knowing the size, instead of querying it, is to its advantage. */
  sendFile(response: ServerResponse, { path, size }: ServedFile) {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': size });
    createReadStream(path).pipe(response);
  },
  pageOf: (bytes: Buffer) => bytes,
};

/** Loads only what the case needs. */
export async function subjectOf(words: Words): Promise<Subject> {
  const own = words.module === '' ? await builtIn(words) : await importSubject(words.module);
  return { ...STRAIGHT, ...own } as Subject;
}

export async function importSubject(url: string): Promise<Partial<Subject>> {
  // The reader of stdout expects only our messages there.
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
    // node:http has no option for it, so it is set on each connection.
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
      // However it ends: the client has closed.
      relay(a, b, () => undefined);
    },
  };
}

async function nearwireHttp(words: Words): Promise<Partial<Subject>> {
  const { Page } = await import('nearwire');
  const { createServer, sendFile } = await import('nearwire/http');
  const { sendBufferSize } = words;
  // Sizes below the system's default are intended as well.
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
