/** Modules that users bring as subjects. */
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type * as net from 'node:net';

// It keeps stdout for itself.
import './control.js';
import { pipeFile, type HttpSubject, type ServedFile } from './http.js';
import { pipeBoth, type Relay } from './relay.js';
import type { NetLike } from './stream.js';
import type { Target } from './words.js';

/** What such a module exports, by name or in its default export. Whatever it lacks, the cases that need it are left out. */
export interface SubjectModule {
  /** As `net.createServer`. The options are `{ noDelay: true }`. */
  createServer?(options: net.ServerOpts, listener: (socket: net.Socket) => void): net.Server;
  /** As `net.connect`, to a `path` or a `host` and a `port`; the listener is called once it is connected. */
  connect?(target: Target, listener: () => void): net.Socket;
  /** Passes on what comes on either of two connections to the other. Without it each is piped into the other. */
  relay?: Relay;
  /** As `http.createServer`. */
  createHttpServer?(handler: RequestListener): Server;
  /** Answers with a file. Without it the file is read as a stream and piped into the response. */
  sendFile?(response: ServerResponse, file: ServedFile): void;
  /** These bytes as a body that is sent many times. Without it they are sent as they are. */
  pageOf?(bytes: Buffer): Buffer;
}

/** Those that decide on the cases. */
export const SUBJECT_FUNCTIONS = ['createServer', 'connect', 'createHttpServer'] as const;
export type SubjectFunction = (typeof SUBJECT_FUNCTIONS)[number];

export async function importSubject(url: string): Promise<SubjectModule> {
  // Who reads ours reads nothing else there.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  const exported = (await import(url)) as SubjectModule & { readonly default?: SubjectModule };
  return { ...exported.default, ...exported };
}

function missing(name: SubjectFunction): never {
  throw new TypeError(`the module exports no function ${name}`);
}

export async function netOfModule(url: string): Promise<NetLike> {
  const { createServer, connect, relay = pipeBoth } = await importSubject(url);
  return {
    createServer: createServer ?? (() => missing('createServer')),
    connect: connect ?? (() => missing('connect')),
    write: (socket, chunk) => socket.write(chunk),
    relay,
  };
}

export async function httpOfModule(url: string): Promise<HttpSubject> {
  const { createHttpServer, sendFile = pipeFile, pageOf = (bytes: Buffer) => bytes } = await importSubject(url);
  return { createServer: createHttpServer ?? (() => missing('createHttpServer')), sendFile, pageOf };
}
