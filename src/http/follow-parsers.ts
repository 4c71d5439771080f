/** Gives the parsers of node's HTTP servers that read native sockets their ticks: see parser-ticks.ts. */
import { setAfterConnection } from '../net/server-listener.js';
import {
  isSwitching,
  studyParser,
  type NodeParser,
  type ParseError,
  type ParserCallbacks,
  type ParserFacts,
} from '../node/http-parser.js';
import { executeGuarded, finishGuarded, isGuarded } from './strict/gate.js';
import { ParserTicks, REPORTED, type ServedSocket } from './parser-ticks.js';

interface Known {
  readonly facts: ParserFacts;
  /** The callbacks of node's server. */
  readonly nodes: ParserCallbacks;
}

/** Built from the first server's parser; null if that is not a parser that we know. */
let known: Known | null | undefined;

function nodes(): ParserCallbacks {
  return (known as Known).nodes;
}

/**
 * Those of the connection that this parser currently reads; undefined for a client's connection, or one that is not
 * native.
 */
function ticksOf(parser: NodeParser): ParserTicks | undefined {
  const socket: ServedSocket | null = parser.socket;
  const ticks = socket?._parserTicks;
  return ticks?.reads(parser) === true ? ticks : undefined;
}

/** Replaces a parser's own `execute`. */
function execute(this: NodeParser, chunk: Buffer): number | ParseError {
  const ticks = ticksOf(this);
  return ticks === undefined ? executeGuarded.call(this, chunk) : ticks.execute(chunk);
}

function finish(this: NodeParser): ParseError | undefined {
  const ticks = ticksOf(this);
  return ticks === undefined ? finishGuarded.call(this) : ticks.finish();
}

/** Replace the callbacks that node's server has given its parser, and call those. */
const ours: ParserCallbacks = {
  onHeadersComplete(...told) {
    const ticks = ticksOf(this);
    ticks?.hastenAnswer();
    try {
      return nodes().onHeadersComplete.apply(this, told);
    } catch (error) {
      // In these cases node does more than read on, and only the exception prevents that.
      if (isSwitching(this) || this.incoming?.method === 'PRI' || ticks === undefined) throw error;
      ticks.report(error);
      throw REPORTED;
    }
  },

  onHeaders(headers, target) {
    nodes().onHeaders.call(this, headers, target);
    const ticks = ticksOf(this);
    try {
      ticks?.runTicks();
    } catch (error) {
      // The only callback whose failure does not stop the parser.
      ticks?.report(error);
    }
  },

  onBody(body) {
    const ticks = ticksOf(this);
    if (ticks === undefined) {
      nodes().onBody.call(this, body);
      return;
    }
    try {
      nodes().onBody.call(this, body);
      ticks.runTicks();
    } catch (error) {
      ticks.report(error);
      throw REPORTED;
    }
  },

  onMessageComplete() {
    const ticks = ticksOf(this);
    try {
      nodes().onMessageComplete.call(this);
    } catch (error) {
      if (ticks === undefined) throw error;
      ticks.report(error);
      throw REPORTED;
    }
  },
};

function learn(parser: NodeParser): Known | null {
  const studied = studyParser(parser.constructor);
  if (studied === undefined) return null;
  const { kOnHeaders, kOnHeadersComplete, kOnBody, kOnMessageComplete } = studied.parserClass;
  return {
    facts: studied,
    nodes: {
      onHeaders: parser[kOnHeaders] as ParserCallbacks['onHeaders'],
      onHeadersComplete: parser[kOnHeadersComplete] as ParserCallbacks['onHeadersComplete'],
      onBody: parser[kOnBody] as ParserCallbacks['onBody'],
      onMessageComplete: parser[kOnMessageComplete] as ParserCallbacks['onMessageComplete'],
    },
  };
}

/** Node's server has taken the socket, and its parser is ready. */
export function follow(socket: ServedSocket): void {
  const { parser } = socket;
  if (!parser || known === null) return;
  known ??= learn(parser);
  if (known === null) return;
  const facts = isGuarded(socket) ? { ...known.facts, execute: executeGuarded, finish: finishGuarded } : known.facts;
  const ticks = new ParserTicks(facts, parser, socket);
  socket._parserTicks = ticks;
  if (socket._connection !== undefined) socket._connection.reader = ticks;
  // Parsers are reused for other connections.
  if (parser.execute === execute) return;
  const { kOnHeaders, kOnHeadersComplete, kOnBody, kOnMessageComplete } = known.facts.parserClass;
  parser.execute = execute;
  parser.finish = finish;
  parser[kOnHeaders] = ours.onHeaders;
  parser[kOnHeadersComplete] = ours.onHeadersComplete;
  parser[kOnBody] = ours.onBody;
  parser[kOnMessageComplete] = ours.onMessageComplete;
}

/** From now on. It changes no module of node's, only the parser objects of connections to its HTTP servers. */
export function followParsers(): void {
  setAfterConnection(follow);
}
