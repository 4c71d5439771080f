/** The interfaces through which server, connection, socket, request and response of an exchange see each other. */
import type { EventEmitter } from 'node:events';
import type * as http from 'node:http';
import type { Readable } from 'node:stream';
import type { WriteCallback } from '../node/stream-state.js';
import type { RequestInternals, ResponseInternals } from '../node/http-messages.js';
import type { Carrier } from './carrier.js';
import type { Codec } from './codec.js';

export type Incoming = Omit<http.IncomingMessage, keyof RequestInternals<unknown>> &
  RequestInternals<SocketContract> &
  Readable;
export type Outgoing = Omit<http.ServerResponse, keyof ResponseInternals<unknown>> & ResponseInternals<SocketContract>;

export type RequestClass = new (socket: SocketContract) => Incoming;

export type ResponseClass = new (request: Incoming, options: ResponseOptions) => Outgoing;

/** The classes of a server's messages. */
export interface MessageClasses {
  readonly request: RequestClass;
  readonly response: ResponseClass;
}

export interface ResponseOptions {
  highWaterMark: number;
  rejectNonStandardBodyWrites: boolean;
}

/** What a connection uses of its server. */
export interface ServerContract {
  /** The server that programs know. */
  readonly emitter: EventEmitter & { readonly listening: boolean };
  readonly responseOptions: ResponseOptions;
  /** For requests and responses, in bytes. */
  readonly highWaterMark: number;
}

/** A connection, as its server's host uses it. */
export interface HostedConnection {
  /** Its index in the host's list. */
  place: number;
  /** Whether it neither waits for a request nor answers one. */
  readonly isIdle: boolean;
  destroy(error: Error | undefined): void;
  /** Refuses what has not arrived in time. Times are in milliseconds; 0 means no limit. */
  checkTime(now: number, headersTimeout: number, requestTimeout: number): void;
}

/** A server whose connections carry one request each. */
export interface OneRequestServer extends ServerContract {
  readonly codec: Codec;
  readonly classes: { readonly current: MessageClasses };
  /** Whether `headers` of requests joins all repeated headers. */
  readonly joinDuplicateHeaders: boolean;
  /** Response headers whose values are joined into one line. Names in lower case. */
  readonly uniqueHeaders: ReadonlySet<string>;
  /** As in node:http: a peer that has ended its side may still get a response. */
  readonly httpAllowHalfOpen: boolean;
  /** A connection is no longer its matter. */
  forget(connection: HostedConnection): void;
  /** The same of a native one, which has closed. */
  release(connection: HostedConnection): void;
}

export interface ConnectionContract {
  readonly server: ServerContract;
  readonly carrier: Carrier;
  /** No more will be written. */
  readonly ended: boolean;
  /** A write has returned false, and 'drain' is owed. */
  readonly owesDrain: boolean;
  /** Bytes that the kernel has not taken yet. */
  readonly waitingBytes: number;
  write(data: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback | undefined): boolean;
  /**
   * Headers and body of a response of which nothing has been sent yet, and what follows the body. `isAscii`: a body that
   * is a string is known to consist of ASCII.
   */
  writeWhole(head: string, body: string | Uint8Array, tail: string, isAscii: boolean): void;
  /** Node's own code sends this response, and emits 'finish' at its end. */
  awaitFinish(response: Outgoing): void;
  /** A response that ended before ticks were run is over in node. Returns whether one is now. */
  finishEnded(): boolean;
  /** No more will be written: closes as soon as the request is complete. */
  finishWriting(): void;
  pause(): void;
  resume(): void;
  /** Nothing has been read or written for the socket's timeout. */
  onIdle(): void;
  destroy(error: Error | undefined): void;
}

export interface SocketContract extends EventEmitter {
  readable: boolean;
  writable: boolean;
  destroyed: boolean;
  _hadError: boolean;
  /** The response that currently owns the connection. */
  _httpMessage: Outgoing | null;
  /** Its connection. Undefined on a socket of node's own, or once the stand-in has become one. */
  readonly _owner: ConnectionContract | undefined;
}

/** The object behind `req.socket`, as its connection uses it. */
export interface StandIn extends SocketContract {
  /** Something has been read or written. */
  _touch(): void;
  /** The connection is closed. */
  _close(): void;
}
