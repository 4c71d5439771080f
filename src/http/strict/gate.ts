/**
 * Gives node's parser, on the connections of a strict server, only what has been validated. A request
 * that breaks a rule is refused as node's server refuses what its parser cannot read: 'clientError', or an answer. Other than
 * with an error of the parser's, that waits for the responses to the requests before it.
 */
import type * as http from 'node:http';
import type * as net from 'node:net';
import { awaitsBody, isSwitching, type NodeParser, type ParseError } from '../../node/http-parser.js';
import { RequestValidator } from './validator.js';
import { answerTo, strictError, type Violation } from './violation.js';

type OwnResponse = http.ServerResponse & { readonly _headerSent?: boolean };

interface GuardedSocket extends net.Socket {
  readonly parser?: NodeParser | null;
  /** The response that the socket is currently sending. */
  readonly _httpMessage?: OwnResponse | null;
  _strictGate?: Gate;
}

type Listeners = ReturnType<net.Socket['listeners']>;

class Gate {
  private readonly server: http.Server;
  private readonly socket: GuardedSocket;
  private readonly parser: NodeParser;
  private readonly validator: RequestValidator;
  /** Node's listener of the socket's data. */
  private readonly onData: ((chunk: Buffer) => void) | undefined;
  /** The parser has failed, or the connection speaks another protocol. */
  private isOpen = false;
  /** What is refused when the responses before it are over. */
  private held: { readonly chunk: Buffer; readonly at: number } | undefined;

  constructor(server: http.Server, socket: GuardedSocket, parser: NodeParser, bodyLeft: number, others: Listeners) {
    this.server = server;
    this.socket = socket;
    this.parser = parser;
    this.validator = new RequestValidator(bodyLeft);
    this.onData = socket.listeners('data').find((listener) => !others.includes(listener)) as Gate['onData'];
  }

  reads(parser: NodeParser): boolean {
    return parser === this.parser;
  }

  execute(chunk: Buffer): number | ParseError {
    const { validator, parser } = this;
    if (this.isOpen) return byNode(parser).execute.call(parser, chunk);
    const before = this.broken();
    if (before !== undefined) return this.refuse(before, chunk, 0);
    // Before: a callback that is given the chunk may detach it.
    const { length } = chunk;
    let at = 0;
    do {
      const end = validator.read(chunk, at);
      const { switching } = validator;
      const taken = this.give(chunk, at, end);
      if (typeof taken !== 'number') return taken;
      if (this.opened()) return this.giveRest(chunk, at + taken);
      at = end;
      const broken = this.broken();
      if (broken !== undefined) return this.refuse(broken, chunk, at);
      // As node's parser, which then reads no further in what it was given.
      if (switching === 'done') return at;
    } while (at < length && at < chunk.length);
    return length;
  }

  private opened(): boolean {
    return this.isOpen;
  }

  private broken(): Violation | undefined {
    return this.validator.violation;
  }

  /** Gives the parser a part that is valid. */
  private give(chunk: Buffer, start: number, end: number): number | ParseError {
    const { parser } = this;
    if (start === end) return 0;
    const isAll = start === 0 && end === chunk.length;
    const taken = byNode(parser).execute.call(parser, isAll ? chunk : chunk.subarray(start, end));
    if (typeof taken !== 'number') {
      this.isOpen = true;
      taken.bytesParsed += start;
    } else if (isSwitching(parser) || parser.socket !== this.socket) {
      this.isOpen = true;
    }
    return taken;
  }

  /** Returns where the other protocol begins. */
  private giveRest(chunk: Buffer, at: number): number | ParseError {
    const { parser } = this;
    if (at >= chunk.length || !awaitsBody(parser)) return at;
    const taken = this.executePart(chunk, at, chunk.length);
    return typeof taken === 'number' ? at + taken : taken;
  }

  private executePart(chunk: Buffer, start: number, end: number): number | ParseError {
    const { parser } = this;
    const isAll = start === 0 && end === chunk.length;
    const taken = byNode(parser).execute.call(parser, isAll ? chunk : chunk.subarray(start, end));
    if (typeof taken !== 'number') taken.bytesParsed += start;
    return taken;
  }

  finish(): ParseError | undefined {
    const { parser, validator } = this;
    // As node's parser, which has no second error.
    return validator.violation === undefined || this.isOpen ? byNode(parser).finish.call(parser) : undefined;
  }

  private refuse(broken: Violation, chunk: Buffer, at: number): number | ParseError {
    const { held } = this;
    if (held !== undefined) return held.chunk === chunk ? this.fail(broken, held.at) : chunk.length;
    if (!this.owesOthers) return this.fail(broken, at);
    this.held = { chunk, at };
    this.awaitAnswer();
    return chunk.length;
  }

  /** Whether responses to other requests than the broken one are to come. */
  private get owesOthers(): boolean {
    const { socket, parser, validator } = this;
    const { _httpMessage: current } = socket;
    if (!current) return false;
    return !(validator.isWithinBody && current.req === parser.incoming);
  }

  private awaitAnswer(): void {
    this.socket._httpMessage?.once('close', () => {
      const { socket, held, onData } = this;
      // It may have been the connection's last.
      if (held === undefined || socket.destroyed || !socket.writable) return;
      if (this.owesOthers) this.awaitAnswer();
      else onData?.call(socket, held.chunk);
    });
  }

  private fail(broken: Violation, at: number): ParseError {
    this.held = undefined;
    const { socket, server } = this;
    // Node knows no other answer than 400 to this.
    const answers = broken.status !== 400 && server.listenerCount('clientError') === 0;
    if (answers && socket.writable && socket._httpMessage?._headerSent !== true) socket.end(answerTo(broken));
    return strictError(broken, at);
  }
}

/** Its class's own methods. */
function byNode(parser: NodeParser): Pick<NodeParser, 'execute' | 'finish'> {
  return parser.constructor.prototype as NodeParser;
}

function gateOf(parser: NodeParser): Gate | undefined {
  const socket: GuardedSocket | null = parser.socket;
  const gate = socket?._strictGate;
  return gate?.reads(parser) === true ? gate : undefined;
}

/** Both replace a parser's own method, and stay when it is given to another connection. */
export function executeGuarded(this: NodeParser, chunk: Uint8Array): number | ParseError {
  const gate = gateOf(this);
  return gate === undefined ? byNode(this).execute.call(this, chunk) : gate.execute(chunk as Buffer);
}

export function finishGuarded(this: NodeParser): ParseError | undefined {
  const gate = gateOf(this);
  return gate === undefined ? byNode(this).finish.call(this) : gate.finish();
}

export function isGuarded(socket: net.Socket): boolean {
  return '_strictGate' in socket;
}

/**
 * Node's server has taken the socket. `bodyLeft`: bytes of a request's body that its parser still expects. `others`:
 * listeners of the socket's data that come before its own.
 */
export function guard(server: http.Server, given: net.Socket, bodyLeft: number, others: Listeners): void {
  const socket = given as GuardedSocket;
  const { parser } = socket;
  if (!parser) return;
  socket._strictGate = new Gate(server, socket, parser, bodyLeft, others);
  parser.execute = executeGuarded;
  parser.finish = finishGuarded;
}
