/** Makes the parsers of node's HTTP servers read native sockets with the help of a RequestReader each. */
import type * as http from 'node:http';
import { setAfterConnection } from '../net/server-listener.js';
import { getEngine } from '../engine/thread-engine.js';
import { studyParser, type NodeParser, type ParseError, type ParserCallbacks } from '../node/http-parser.js';
import { READER, REPORTED, RequestReader, type Means, type ServedSocket } from './request-reader.js';

/** `0`: all requests are left to node's parser. */
const READER_VARIABLE = 'NEARWIRE_REQUEST_READER';

/** Built from the first server's parser; null if that is not a parser that we know. */
let means: Means | null | undefined;

function known(): Means {
  return means as Means;
}

/**
 * The reader of the connection that this parser currently reads; undefined for a client's connection, or one that is
 * not native.
 */
function readerOf(parser: NodeParser): RequestReader | undefined {
  const socket: ServedSocket | null = parser.socket;
  const reader = socket?.[READER];
  return reader?.reads(parser) === true ? reader : undefined;
}

/** The reader of this request's body, while it is being read from a native connection. */
export function readerOfBody({ socket }: http.IncomingMessage): RequestReader | undefined {
  const { parser } = socket as ServedSocket;
  return parser ? readerOf(parser) : undefined;
}

/** Replaces a parser's own `execute`. */
function execute(this: NodeParser, chunk: Buffer): number | ParseError {
  const reader = readerOf(this);
  return reader === undefined ? known().facts.execute.call(this, chunk) : reader.execute(chunk);
}

function finish(this: NodeParser): ParseError | undefined {
  const reader = readerOf(this);
  return reader === undefined ? known().facts.finish.call(this) : reader.finish();
}

/** Replace the callbacks that node's server has given its parser, and call those. */
const ours: Means['ours'] = {
  onMessageBegin() {
    readerOf(this)?.messageBegins();
  },

  onHeadersComplete(...told) {
    const reader = readerOf(this);
    reader?.headIsComplete(told[8]);
    reader?.hastenAnswer();
    try {
      return known().nodes.onHeadersComplete.apply(this, told);
    } catch (error) {
      // In these cases node does more than read on, and only the exception prevents that.
      const { upgrade, method } = this.incoming as http.IncomingMessage & { upgrade?: unknown };
      if (upgrade || method === 'PRI' || reader === undefined) throw error;
      reader.report(error);
      throw REPORTED;
    }
  },

  onHeaders(headers, target) {
    known().nodes.onHeaders.call(this, headers, target);
    const reader = readerOf(this);
    try {
      reader?.runTicks();
    } catch (error) {
      // The only callback whose failure does not stop the parser.
      reader?.report(error);
    }
  },

  onBody(body) {
    const reader = readerOf(this);
    if (reader === undefined) {
      known().nodes.onBody.call(this, body);
      return;
    }
    reader.countBody(body.length);
    try {
      known().nodes.onBody.call(this, body);
      reader.runTicks();
    } catch (error) {
      reader.report(error);
      throw REPORTED;
    }
  },

  onMessageComplete() {
    const reader = readerOf(this);
    reader?.messageIsComplete();
    try {
      known().nodes.onMessageComplete.call(this);
    } catch (error) {
      if (reader === undefined) throw error;
      reader.report(error);
      throw REPORTED;
    }
  },
};

function learn(parser: NodeParser): Means | null {
  const engine = getEngine();
  const facts = studyParser(parser.constructor);
  if (facts === undefined || engine === undefined) return null;
  const { kOnHeaders, kOnHeadersComplete, kOnBody, kOnMessageComplete } = facts.parserClass;
  const nodes: ParserCallbacks = {
    onHeaders: parser[kOnHeaders] as ParserCallbacks['onHeaders'],
    onHeadersComplete: parser[kOnHeadersComplete] as ParserCallbacks['onHeadersComplete'],
    onBody: parser[kOnBody] as ParserCallbacks['onBody'],
    onMessageComplete: parser[kOnMessageComplete] as ParserCallbacks['onMessageComplete'],
  };
  return { facts, engine, head: engine.native.layout.requestHead, nodes, ours };
}

/** Node's server has taken the socket, and its parser is ready. */
function readRequests(socket: ServedSocket): void {
  const { parser } = socket;
  if (!parser || means === null) return;
  means ??= learn(parser);
  if (means === null) return;
  const reader = new RequestReader(means, parser, socket);
  socket[READER] = reader;
  if (socket._connection !== undefined) socket._connection.inPlace = reader;
  // Parsers are reused for other connections.
  if (parser.execute === execute) return;
  const { kOnHeaders, kOnHeadersComplete, kOnBody, kOnMessageComplete } = means.facts.parserClass;
  parser.execute = execute;
  parser.finish = finish;
  parser[kOnHeaders] = ours.onHeaders;
  parser[kOnHeadersComplete] = ours.onHeadersComplete;
  parser[kOnBody] = ours.onBody;
  parser[kOnMessageComplete] = ours.onMessageComplete;
}

/**
 * Makes node's HTTP servers use this reader on native sockets. It changes no module of node's, only the parser objects
 * of such connections.
 */
export function installRequestReader(): void {
  if (process.env[READER_VARIABLE] !== '0') setAfterConnection(readRequests);
}
