/** What a protocol brings to the exchange layer: how a request is read, and what an answer may have. */

/** A request's head as its protocol has it. What is costly is made when it is asked for. */
export interface RequestHead {
  readonly method: string;
  /** As the client has sent it: path and query, neither decoded nor normalised. */
  readonly url: string;
  readonly versionMajor: number;
  readonly versionMinor: number;
  /** Bytes of the body to come. */
  readonly bodyLength: number;
  /** The value of `Expect`, without which most requests are. */
  readonly expect: string | undefined;
  /** The protocol that the client wants to change to; undefined unless it does. */
  readonly upgrade: string | undefined;
  /** Names and values in turn. */
  readonly rawHeaders: string[];
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  /** The client speaks TLS to whoever forwards its request. */
  readonly encrypted: boolean;
}

/** Why what came is no request; `status` is what the peer is answered with, unless a listener of 'clientError' does. */
export interface ReadError extends Error {
  code: string;
  status: number;
}

/**
 * Who is told what a reader finds, in this order: a head, its body, and that it is complete. What listeners throw comes
 * out of none of these.
 */
export interface RequestSink {
  onHead(head: RequestHead): void;
  /** Bytes of the body are of use to somebody. */
  readonly wantsBody: boolean;
  /** Bytes that are the sink's from now on: a copy (`ownCopy`) of what the reader has been lent. */
  onBody(chunk: Buffer): void;
  onComplete(): void;
}

/** Reads the requests of one connection, whatever pieces they come in. */
export interface RequestReader {
  /** Bytes `[start, end)`, lent for this call. Answers an error for what is no request; nothing is read after that. */
  read(sink: RequestSink, data: Buffer, start: number, end: number): ReadError | undefined;
  /** The peer has ended. Answers an error if that was within a head. */
  end(): ReadError | undefined;
}

/** One protocol, as one server has it. */
export interface Codec {
  createReader(): RequestReader;
  /**
   * Whether peers send their request with the connection, and never wait to be spoken to. Over TCP on Linux connections
   * come with their first byte then, which saves a turn of the loop for each: a fifth of its CPU under load.
   */
  readonly peerSpeaksFirst: boolean;
  /** Whether the peer understands answers of the class 1xx before the one that counts. */
  readonly sendsInformation: boolean;
  /** Gives a request what only this protocol knows. */
  decorate(request: object, head: RequestHead): void;
  /** What a client that wants to change to another protocol is told, as it can't. undefined: it is served as it is. */
  refuseUpgrade(protocol: string): string | undefined;
}
