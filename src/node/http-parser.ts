/** Node's own HTTP parser from outside: which callbacks node's server gives it, and their arguments. */
import type * as http from 'node:http';
import type * as net from 'node:net';
import { isDeepStrictEqual } from 'node:util';

/** In the same order as in native/request_head.cc. */
export const PLAIN_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const;

/** The functions of node's server that its parser calls, by their index in the parser. */
export interface ParserCallbacks {
  /** Part of a header block that is long or arrived in pieces; also trailers. */
  onHeaders(this: NodeParser, headers: string[], target: string): void;
  onHeadersComplete(
    this: NodeParser,
    versionMajor: number,
    versionMinor: number,
    headers: string[],
    method: number,
    target: string,
    statusCode: undefined,
    statusMessage: undefined,
    upgrade: boolean,
    keepAlive: boolean,
  ): unknown;
  onBody(this: NodeParser, body: Buffer): void;
  onMessageComplete(this: NodeParser): void;
}

type ParserCallback = ParserCallbacks[keyof ParserCallbacks] | ((this: NodeParser) => unknown);

interface ParserClass {
  new (): NodeParser;
  readonly REQUEST: number;
  readonly kOnMessageBegin: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

export interface NodeParser {
  readonly constructor: ParserClass;
  readonly socket: net.Socket | null;
  readonly incoming: (http.IncomingMessage & { readonly upgrade?: unknown }) | null;
  /** Set by a server for each of its connections; null in between. */
  readonly onIncoming: ((message: http.IncomingMessage, keepAlive: boolean) => unknown) | null;
  initialize(type: number, resource: object, maxHeaderSize?: number): void;
  /** The number of bytes consumed, which is less than all before an upgrade; or a parse error. */
  execute(chunk: Uint8Array): number | ParseError;
  /** The peer has ended: an error in the middle of a message. */
  finish(): ParseError | undefined;
  close(): void;
  /** Stops at the current position until it is resumed. */
  pause(): void;
  resume(): void;
  [callback: number]: ParserCallback | null;
}

export interface ParseError extends Error {
  bytesParsed: number;
}

/** What we must know of this node's parser to do its work. */
export interface ParserFacts {
  readonly parserClass: ParserClass;
  /** The numbers of the plain methods. */
  readonly methods: readonly number[];
  readonly execute: NodeParser['execute'];
  readonly finish: NodeParser['finish'];
}

/** What comes behind its request is of another protocol. */
export function isSwitching({ incoming }: NodeParser): boolean {
  return incoming?.upgrade === true;
}

/**
 * First comes the body of the request that asks for another protocol. Since version 26 node's parser reads it; before, it is
 * taken for that protocol's.
 */
export function awaitsBody(parser: NodeParser): boolean {
  return isSwitching(parser) && parser.incoming?.complete === false;
}

/**
 * The result of the parser's `execute` as node's server learns of it where it reads from a handle. Within such a body the
 * parser reports no error, but stops, and what it has left must not be taken for the other protocol.
 */
export function resultAsOfHandle(parser: NodeParser, result: number | ParseError, length: number): number | ParseError {
  return typeof result === 'number' && awaitsBody(parser) ? length : result;
}

function nothing(): void {
  // That there is a listener is all.
}

/**
 * Has node's server read this socket by its listener of 'data', and not from the handle below JavaScript: as it does when
 * a program listens as well.
 */
export function readByListener(socket: net.Socket): void {
  socket.on('data', nothing);
  socket.removeListener('data', nothing);
}

/**
 * Makes a parser of this class read a request of each method and checks what it reports. Returns undefined if that
 * differs from what we would report: then node's parser does all the work.
 */
export function studyParser(parserClass: ParserClass): ParserFacts | undefined {
  const { execute, finish } = parserClass.prototype as NodeParser;
  const methods: number[] = [];
  const parser = new parserClass();
  parser.initialize(parserClass.REQUEST, {});
  parser[parserClass.kOnHeadersComplete] = (...told: unknown[]) => {
    const method = told[3];
    const expected = [1, 1, ['Name', 'value'], method, '/target', undefined, undefined, false, true];
    if (typeof method === 'number' && isDeepStrictEqual(told, expected)) methods.push(method);
    return 0;
  };
  for (const method of PLAIN_METHODS) {
    parser.execute(Buffer.from(`${method} /target HTTP/1.1\r\nName: value\r\n\r\n`));
  }
  parser.close();
  return methods.length === PLAIN_METHODS.length ? { parserClass, methods, execute, finish } : undefined;
}
