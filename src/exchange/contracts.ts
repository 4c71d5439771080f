/** How those who take part in an exchange see each other: server, connection, socket, request and response. */
import type { EventEmitter } from 'node:events';
import type * as http from 'node:http';
import type { Readable } from 'node:stream';
import type { WriteCallback } from '../node/stream-state.js';
import type { RequestInternals, ResponseInternals } from '../node/http-messages.js';
import type { Carrier } from './carrier.js';
import type { Codec, RequestHead } from './codec.js';

export type Incoming = Omit<http.IncomingMessage, keyof RequestInternals<unknown>> &
  RequestInternals<SocketContract> &
  Readable;
export type Outgoing = Omit<http.ServerResponse, keyof ResponseInternals<unknown>> & ResponseInternals<SocketContract>;

export type RequestClass = new (socket: SocketContract) => http.IncomingMessage;

export type ResponseClass = new (request: Incoming, options: ResponseOptions) => http.ServerResponse;

export interface ResponseOptions {
  highWaterMark: number;
  rejectNonStandardBodyWrites: boolean;
}

export interface ServerContract extends Pick<EventEmitter, 'emit'> {
  readonly codec: Codec;
  readonly requestClass: RequestClass;
  readonly responseClass: ResponseClass;
  readonly responseOptions: ResponseOptions;
  /** Of requests and responses, in bytes. */
  readonly highWaterMark: number;
  /** `headers` of requests joins all that came several times. */
  readonly joinDuplicateHeaders: boolean;
  /** Of answers: several values are one line. In lower case. */
  readonly uniqueHeaders: ReadonlySet<string>;
  /** As node:http's: a peer that has ended its side may still be answered. */
  readonly httpAllowHalfOpen: boolean;
}

export interface ConnectionContract {
  readonly server: ServerContract;
  readonly carrier: Carrier;
  /** Of the request, once it is there. */
  readonly head: RequestHead | undefined;
  /** No more will be written. */
  readonly ended: boolean;
  /** A write has been told that there is no room. */
  readonly owesDrain: boolean;
  /** Bytes that the kernel has not taken yet. */
  readonly waitingBytes: number;
  write(data: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback | undefined): boolean;
  /** Head and body of an answer of which nothing has been sent. */
  writeWhole(head: string, body: string | Uint8Array): void;
  /** node's own code is to send this answer: it emits 'finish' when it has. */
  awaitFinish(response: Outgoing): void;
  /** No more will be written: closes, as soon as the request has come to its end. */
  finishWriting(): void;
  pause(): void;
  resume(): void;
  /** Nothing has been read or written for as long as the socket's timeout. */
  onIdle(): void;
  destroy(error: Error | undefined): void;
}

export interface SocketContract extends EventEmitter {
  readable: boolean;
  writable: boolean;
  destroyed: boolean;
  _hadError: boolean;
  /** The response that owns the connection now. */
  _httpMessage: Outgoing | null;
  readonly _connection: ConnectionContract;
}
