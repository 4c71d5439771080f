/** The interface between a subject and its workers: what a user's module exports, and what is derived from it. */
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type * as net from 'node:net';
import type { Target } from './words.js';

export interface ServedFile {
  readonly path: string;
  readonly size: number;
}

/**
 * The exports of a user's module, by name or in its default export. Cases that need a missing `createServer`, `connect`
 * or `createHttpServer` are left out.
 */
export interface SubjectModule {
  /** As `net.createServer`. The options are `{ noDelay: true }`. */
  createServer?(options: net.ServerOpts, listener: (socket: net.Socket) => void): net.Server;
  /** As `net.connect`, to a `path` or a `host` and a `port`; the listener is called once it is connected. */
  connect?(target: Target, listener: () => void): net.Socket;
  /** Forwards data from either of two connections to the other. Without it each is piped into the other. */
  relay?(a: net.Socket, b: net.Socket): void;
  /** As `http.createServer`. */
  createHttpServer?(handler: RequestListener): Server;
  /** Responds with a file. Without it the file is read as a stream and piped into the response. */
  sendFile?(response: ServerResponse, file: ServedFile): void;
  /** Prepares these bytes as a body that is sent many times. Without it they are sent as they are. */
  pageOf?(bytes: Buffer): Buffer;
}

export interface Subject extends Required<SubjectModule> {
  /** One of many writes. */
  write(socket: net.Socket, chunk: Buffer): boolean;
}
