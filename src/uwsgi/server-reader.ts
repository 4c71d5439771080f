/**
 * Reads a uwsgi request: a header of four bytes (modifier1, the size of the variables, modifier2), the variables, each a
 * name and a value behind their lengths, and as many bytes of body as CONTENT_LENGTH says. Numbers are little-endian.
 *
 * A packet that comes in one piece, as nearly all do, is read from where it lies.
 */
import type { ReadError, RequestReader, RequestSink } from '../exchange/codec.js';
import {
  badPacketError,
  bodyTooLongError,
  modifierError,
  tooManyVariablesError,
  variablesTooLongError,
} from './server-errors.js';
import { Variables } from './variables.js';

export interface ReaderLimits {
  /** Bytes of all variables. */
  variablesSize: number;
  variablesCount: number;
  bodySize: number;
}

/** A Buffer's own decoder, without the checks of toString(). */
interface RawReads {
  latin1Slice(start: number, end: number): string;
}

const HEADER_BYTES = 4;
/** A request for a WSGI application; uWSGI uses the others for other languages and for messages between its processes. */
const MODIFIER_REQUEST = 0;

const METHOD = 'REQUEST_METHOD';
const URI = 'REQUEST_URI';
const PROTOCOL = 'SERVER_PROTOCOL';
const LENGTH = 'CONTENT_LENGTH';
const EXPECT = 'HTTP_EXPECT';
const UPGRADE = 'HTTP_UPGRADE';

/** A method is a token (RFC 9110, 5.6.2). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const DIGITS = /^\d{1,15}$/;

export class UwsgiReader implements RequestReader {
  private readonly limits: ReaderLimits;
  /** Of a packet that comes in pieces: room for its header, then for all of it. */
  private packet: Buffer | undefined = undefined;
  /** How much of it has come. */
  private held = 0;
  private inBody = false;
  private bodyLeft = 0;

  constructor(limits: ReaderLimits) {
    this.limits = limits;
  }

  read(sink: RequestSink, data: Buffer, start: number, end: number): ReadError | undefined {
    if (this.inBody) {
      this.readBody(sink, data, start, end);
      return undefined;
    }
    if (this.packet !== undefined) return this.gather(sink, this.packet, data, start, end);
    return this.readHead(sink, data, start, end);
  }

  end(): ReadError | undefined {
    return this.packet === undefined ? undefined : badPacketError('the peer has ended within it');
  }

  private gather(sink: RequestSink, packet: Buffer, data: Buffer, start: number, end: number): ReadError | undefined {
    const taken = data.copy(packet, this.held, start, end);
    this.held += taken;
    if (this.held < packet.length) return undefined;
    this.packet = undefined;
    const rest = start + taken;
    const error = this.readHead(sink, packet, 0, packet.length);
    if (error !== undefined || rest === end) return error;
    // What was there was the header alone, or all: the rest is the packet's, or the body's.
    return this.read(sink, data, rest, end);
  }

  private readHead(sink: RequestSink, data: Buffer, start: number, end: number): ReadError | undefined {
    const length = end - start;
    if (length > 0 && data[start] !== MODIFIER_REQUEST) return modifierError(data[start] as number);
    const size = length < HEADER_BYTES ? 0 : (data[start + 1] as number) | ((data[start + 2] as number) << 8);
    if (size > this.limits.variablesSize) return variablesTooLongError(size, this.limits.variablesSize);
    if (length < HEADER_BYTES + size || length < HEADER_BYTES) {
      this.packet = Buffer.allocUnsafe(HEADER_BYTES + size);
      this.held = data.copy(this.packet, 0, start, end);
      return undefined;
    }
    const bodyStart = start + HEADER_BYTES + size;
    const head = new Variables((data as Buffer & RawReads).latin1Slice(start + HEADER_BYTES, bodyStart));
    const error = this.scan(head, data, start + HEADER_BYTES, bodyStart);
    if (error !== undefined) return error;
    this.inBody = true;
    this.bodyLeft = head.bodyLength;
    sink.onHead(head);
    if (head.bodyLength === 0) sink.onComplete();
    else if (bodyStart < end) this.readBody(sink, data, bodyStart, end);
    return undefined;
  }

  private readBody(sink: RequestSink, data: Buffer, start: number, end: number): void {
    if (this.bodyLeft === 0) return;
    // What comes behind a body belongs to nothing.
    const bodyEnd = Math.min(end, start + this.bodyLeft);
    this.bodyLeft -= bodyEnd - start;
    sink.onBody(data, start, bodyEnd);
    if (this.bodyLeft === 0) sink.onComplete();
  }

  /** Sees that each variable lies within the packet, and picks out what every request needs. */
  private scan(head: Variables, data: Buffer, start: number, end: number): ReadError | undefined {
    const text = data as Buffer & RawReads;
    let at = start;
    let count = 0;
    while (at < end) {
      if (at + 4 > end) return badPacketError('a variable is cut short');
      const nameStart = at + 2;
      const nameLength = (data[at] as number) | ((data[at + 1] as number) << 8);
      const nameEnd = nameStart + nameLength;
      if (nameEnd + 2 > end) return badPacketError("a variable's name goes beyond the packet");
      const valueStart = nameEnd + 2;
      at = valueStart + ((data[nameEnd] as number) | ((data[nameEnd + 1] as number) << 8));
      if (at > end) return badPacketError("a variable's value goes beyond the packet");
      count++;
      switch (nameLength) {
        case METHOD.length: // and LENGTH's
          if (isName(data, nameStart, METHOD)) {
            head.method = text.latin1Slice(valueStart, at);
          } else if (at > valueStart && isName(data, nameStart, LENGTH)) {
            const value = text.latin1Slice(valueStart, at);
            if (!DIGITS.test(value)) return badPacketError('CONTENT_LENGTH is no number');
            head.bodyLength = Number(value);
          }
          break;
        case URI.length: // and EXPECT's
          if (isName(data, nameStart, URI)) head.url = text.latin1Slice(valueStart, at);
          else if (isName(data, nameStart, EXPECT)) head.expect = text.latin1Slice(valueStart, at);
          break;
        case PROTOCOL.length:
          if (isName(data, nameStart, PROTOCOL) && !isHttp11(data, valueStart, at)) {
            head.setVersion(text.latin1Slice(valueStart, at));
          }
          break;
        case UPGRADE.length:
          if (at > valueStart && isName(data, nameStart, UPGRADE)) head.upgrade = text.latin1Slice(valueStart, at);
          break;
      }
    }
    if (count > this.limits.variablesCount) return tooManyVariablesError(count, this.limits.variablesCount);
    if (!TOKEN.test(head.method)) return badPacketError('REQUEST_METHOD is missing, or no method');
    if (head.bodyLength > this.limits.bodySize) return bodyTooLongError(head.bodyLength, this.limits.bodySize);
    if (head.url === '') head.composeUrl();
    return undefined;
  }
}

function isName(data: Buffer, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (data[start + i] !== name.charCodeAt(i)) return false;
  return true;
}

function isHttp11(data: Buffer, start: number, end: number): boolean {
  return end - start === 8 && isName(data, start, 'HTTP/1.1');
}
