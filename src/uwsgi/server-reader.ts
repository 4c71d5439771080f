/**
 * Reads a uwsgi request: a header of four bytes (modifier1, the size of the variables, modifier2), the variables, each
 * a name and a value preceded by their lengths, and CONTENT_LENGTH bytes of body. Numbers are little-endian.
 *
 * A packet that arrives in one piece, as nearly all do, is parsed in place.
 */
import type { ReadError, RequestReader, RequestSink } from '../exchange/codec.js';
import { copyOf } from '../memory/own-memory.js';
import { areAll, isUrl, TARGET, TOKEN, VALUE } from './characters.js';
import {
  badPacketError,
  bodyTooLongError,
  modifierError,
  tooManyVariablesError,
  variablesTooLongError,
} from './server-errors.js';
import { scannerOf, type ScanningEngine, type VariableScanner } from './variable-scanner.js';
import { Variables } from './variables.js';

export interface ReaderLimits {
  /** The size of all variables, in bytes. */
  variablesSize: number;
  variablesCount: number;
  bodySize: number;
}

/** A Buffer's own decoder, without the checks of toString(). */
interface RawReads {
  latin1Slice(start: number, end: number): string;
}

const HEADER_BYTES = 4;
/**
 * A request for a WSGI application; uWSGI uses other values for other languages and for messages between its processes.
 */
const MODIFIER_REQUEST = 0;

const METHOD = 'REQUEST_METHOD';
const URI = 'REQUEST_URI';
const PROTOCOL = 'SERVER_PROTOCOL';
const LENGTH = 'CONTENT_LENGTH';
const EXPECT = 'HTTP_EXPECT';
const UPGRADE = 'HTTP_UPGRADE';
const TYPE = 'CONTENT_TYPE';
const HTTP_PREFIX = 'HTTP_';

const NO_METHOD = 'REQUEST_METHOD is missing or invalid';
const NOTHING = Buffer.alloc(0);

export class UwsgiReader implements RequestReader {
  private readonly limits: ReaderLimits;
  private readonly scanner: VariableScanner | undefined;
  /** For a packet that arrives in pieces: the bytes so far, and room for some more. */
  private packet: Buffer | undefined = undefined;
  private held = 0;
  private inBody = false;
  private bodyLeft = 0;

  /** `engine`: of the connection; without it nothing is read by the addon. */
  constructor(limits: ReaderLimits, engine: ScanningEngine | undefined) {
    this.limits = limits;
    this.scanner = engine === undefined ? undefined : scannerOf(engine);
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
    return this.packet === undefined ? undefined : badPacketError('the peer has ended before its end');
  }

  private gather(sink: RequestSink, packet: Buffer, data: Buffer, start: number, end: number): ReadError | undefined {
    let at = start;
    // First the packet's header, which has the total length.
    for (let wanted = this.held < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + sizeOf(packet, 0); ;) {
      const taken = Math.min(wanted - this.held, end - at);
      packet = this.hold(packet, data, at, at + taken, wanted);
      at += taken;
      if (this.held < wanted) return undefined;
      const whole = HEADER_BYTES + sizeOf(packet, 0);
      const error = this.checkHeader(packet, 0, this.held);
      if (error !== undefined) return error;
      if (this.held === whole) break;
      wanted = whole;
    }
    this.packet = undefined;
    const head = this.parse(packet, HEADER_BYTES, this.held);
    if (!(head instanceof Variables)) return head;
    this.begin(sink, head, data, at, end);
    return undefined;
  }

  private readHead(sink: RequestSink, data: Buffer, start: number, end: number): ReadError | undefined {
    const error = this.checkHeader(data, start, end - start);
    if (error !== undefined) return error;
    const isHeaderThere = end - start >= HEADER_BYTES;
    const bodyStart = start + HEADER_BYTES + (isHeaderThere ? sizeOf(data, start) : 0);
    if (bodyStart > end) {
      this.hold(NOTHING, data, start, end, bodyStart - start);
      return undefined;
    }
    const head = this.parse(data, start + HEADER_BYTES, bodyStart);
    if (!(head instanceof Variables)) return head;
    this.begin(sink, head, data, bodyStart, end);
    return undefined;
  }

  /** Checks the header of a packet of which `length` bytes have arrived. */
  private checkHeader(data: Buffer, start: number, length: number): ReadError | undefined {
    if (length > 0 && data[start] !== MODIFIER_REQUEST) return modifierError(data[start] as number);
    const size = length < HEADER_BYTES ? 0 : sizeOf(data, start);
    return size > this.limits.variablesSize ? variablesTooLongError(size, this.limits.variablesSize) : undefined;
  }

  /**
   * Appends bytes to an incomplete packet. The buffer grows with the bytes that arrive: a header alone can announce 64
   * KiB.
   */
  private hold(packet: Buffer, data: Buffer, start: number, end: number, wanted: number): Buffer {
    const needed = this.held + end - start;
    if (needed > packet.length) {
      const larger = Buffer.allocUnsafe(Math.min(wanted, 2 * needed));
      packet.copy(larger, 0, 0, this.held);
      packet = larger;
    }
    data.copy(packet, this.held, start, end);
    this.held = needed;
    this.packet = packet;
    return packet;
  }

  private begin(sink: RequestSink, head: Variables, data: Buffer, start: number, end: number): void {
    this.inBody = true;
    // Bytes after the body are ignored.
    const bodyEnd = Math.min(end, start + head.bodyLength);
    this.bodyLeft = head.bodyLength - (bodyEnd - start);
    // Copied before any callback: the lent memory may change as soon as a listener has run.
    const chunk = bodyEnd > start ? copyOf(data, start, bodyEnd) : undefined;
    sink.onHead(head);
    if (chunk !== undefined) sink.onBody(chunk);
    if (this.bodyLeft === 0) sink.onComplete();
  }

  private readBody(sink: RequestSink, data: Buffer, start: number, end: number): void {
    if (this.bodyLeft === 0) return;
    const bodyEnd = Math.min(end, start + this.bodyLeft);
    this.bodyLeft -= bodyEnd - start;
    if (sink.wantsBody) sink.onBody(copyOf(data, start, bodyEnd));
    if (this.bodyLeft === 0) sink.onComplete();
  }

  private parse(data: Buffer, start: number, end: number): Variables | ReadError {
    const usual = this.scanner?.scan(data, start, end);
    return usual === undefined ? this.parseAny(data, start, end) : this.check(usual);
  }

  /** Checks that each variable lies within the packet and has allowed characters, and takes what a request needs. */
  private parseAny(data: Buffer, start: number, end: number): Variables | ReadError {
    const text = (data as Buffer & RawReads).latin1Slice(start, end);
    const head = new Variables(text);
    let at = start;
    while (at < end) {
      if (at + 4 > end) return badPacketError('a variable is truncated');
      const nameStart = at + 2;
      const nameLength = (data[at] as number) | ((data[at + 1] as number) << 8);
      const nameEnd = nameStart + nameLength;
      if (nameEnd + 2 > end) return badPacketError("a variable's name goes beyond the packet");
      const valueStart = nameEnd + 2;
      at = valueStart + ((data[nameEnd] as number) | ((data[nameEnd + 1] as number) << 8));
      if (at > end) return badPacketError("a variable's value goes beyond the packet");
      head.count++;
      if (nameLength >= HTTP_PREFIX.length && isName(data, nameStart, HTTP_PREFIX)) {
        const isHeader = areAll(TOKEN, data, nameStart + HTTP_PREFIX.length, nameEnd);
        if (!isHeader || nameLength === HTTP_PREFIX.length) return badPacketError("a header's name is invalid");
        if (!areAll(VALUE, data, valueStart, at)) return badPacketError("a header's value has control characters");
        head.addHeader(text.slice(nameStart - start, nameEnd - start), text.slice(valueStart - start, at - start));
      }
      switch (nameLength) {
        case METHOD.length: // also LENGTH
          if (isName(data, nameStart, METHOD)) {
            if (at === valueStart || !areAll(TOKEN, data, valueStart, at)) return badPacketError(NO_METHOD);
            head.method = text.slice(valueStart - start, at - start);
          } else if (at > valueStart && isName(data, nameStart, LENGTH)) {
            const fault = head.takeLength(text.slice(valueStart - start, at - start));
            if (fault !== undefined) return badPacketError(fault);
          }
          break;
        case URI.length: // also EXPECT
          if (isName(data, nameStart, URI)) {
            if (!areAll(TARGET, data, valueStart, at)) return badPacketError('REQUEST_URI is not a valid URL');
            head.url = text.slice(valueStart - start, at - start);
          } else if (isName(data, nameStart, EXPECT)) {
            head.expect = text.slice(valueStart - start, at - start);
          }
          break;
        case PROTOCOL.length:
          if (isName(data, nameStart, PROTOCOL) && !isHttp11(data, valueStart, at)) {
            head.setVersion(text.slice(valueStart - start, at - start));
          }
          break;
        case TYPE.length: // also UPGRADE
          if (at > valueStart && isName(data, nameStart, TYPE)) {
            if (!areAll(VALUE, data, valueStart, at)) return badPacketError('CONTENT_TYPE has control characters');
            head.rawHeaders.push('content-type', text.slice(valueStart - start, at - start));
          } else if (at > valueStart && isName(data, nameStart, UPGRADE)) {
            head.upgrade = text.slice(valueStart - start, at - start);
          }
          break;
      }
    }
    return this.check(head);
  }

  /** Checks the request as a whole. */
  private check(head: Variables): Variables | ReadError {
    const { count } = head;
    if (count > this.limits.variablesCount) return tooManyVariablesError(count, this.limits.variablesCount);
    if (head.method === '') return badPacketError(NO_METHOD);
    if (head.bodyLength > this.limits.bodySize) return bodyTooLongError(head.bodyLength, this.limits.bodySize);
    if (head.url !== '') return head;
    head.composeUrl();
    return isUrl(head.url) ? head : badPacketError('QUERY_STRING is not valid in a URL');
  }
}

/** The size of the variables, as announced by the packet at `start`. */
function sizeOf(data: Buffer, start: number): number {
  return (data[start + 1] as number) | ((data[start + 2] as number) << 8);
}

function isName(data: Buffer, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (data[start + i] !== name.charCodeAt(i)) return false;
  return true;
}

function isHttp11(data: Buffer, start: number, end: number): boolean {
  return end - start === 8 && isName(data, start, 'HTTP/1.1');
}
