/** What a protocol provides to the exchange layer: how a request is read, and what a response may contain. */
import type { Engine } from '../engine/engine.js';

/** A request's headers as its protocol encodes them. Costly values are computed on access. */
export interface RequestHead {
  readonly method: string;
  /** As sent by the client: path and query, neither decoded nor normalized. */
  readonly url: string;
  readonly versionMajor: number;
  readonly versionMinor: number;
  /** Bytes of the body to come. */
  readonly bodyLength: number;
  /** The value of `Expect`, which most requests lack. */
  readonly expect: string | undefined;
  /** The protocol that the client wants to switch to; undefined if none. */
  readonly upgrade: string | undefined;
  /** Names and values alternately. */
  readonly rawHeaders: string[];
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  /** The client's connection to the reverse proxy uses TLS. */
  readonly encrypted: boolean;
}

/** Why the bytes are not a valid request. `status` is sent to the peer unless a 'clientError' listener responds. */
export interface ReadError extends Error {
  code: string;
  status: number;
}

/**
 * Receives what a reader finds, in this order: headers, body, completion. Exceptions of listeners do not propagate out
 * of these calls.
 */
export interface RequestSink {
  onHead(head: RequestHead): void;
  /** Whether the program still wants bytes of the body. */
  readonly wantsBody: boolean;
  /** The sink owns these bytes: they are a copy (`ownCopy`) of what was lent to the reader. */
  onBody(chunk: Buffer): void;
  onComplete(): void;
}

/** Reads the requests of one connection, however they are split into pieces. */
export interface RequestReader {
  /** Bytes `[start, end)`, lent for this call. Returns an error for an invalid request; nothing is read after that. */
  read(sink: RequestSink, data: Buffer, start: number, end: number): ReadError | undefined;
  /** The peer has ended. Returns an error if that was in the middle of the headers. */
  end(): ReadError | undefined;
}

/** One protocol, as configured for one server. */
export interface Codec {
  /** The protocol's. */
  readonly name: string;
  /** `engine`: of the connection whose requests it reads, if that is a native one. */
  createReader(engine: Engine | undefined): RequestReader;
  /**
   * Whether peers send their request as soon as they connect. Over TCP on Linux, accept is then delayed until the first
   * byte (TCP_DEFER_ACCEPT), which saves an event-loop iteration per connection: a fifth of its CPU under load.
   */
  readonly peerSpeaksFirst: boolean;
  /** Whether the peer understands 1xx responses before the final one. */
  readonly sendsInformation: boolean;
  /** Adds to a request what only this protocol knows. */
  decorate(request: object, head: RequestHead): void;
  /**
   * The message for a client that wants to switch protocols, which is not supported. undefined: it is served normally.
   */
  refuseUpgrade(protocol: string): string | undefined;
}
