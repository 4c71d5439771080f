/** Plain requests: finds their parts (native/request_head.h), and makes genuine IncomingMessages of them. */
import { RequestHead } from '../binding/addon.js';
import type { Engine } from '../engine/engine.js';
import type { Incoming, RequestClass, SocketContract } from '../exchange/contracts.js';
import { HEADER_NAMES } from './header-names.js';
import { setHeadersCount } from '../node/http-messages.js';
import { PLAIN_METHODS, studyParser, type ParserFacts } from '../node/http-parser.js';
import type { ServerWithFields } from '../node/http-server.js';

/** A server, as far as it matters here. */
interface ReadingServer {
  readonly longestHead: number;
  readonly servesPlain: boolean;
}

export interface PlainHead {
  /** Of the header block, in bytes. */
  readonly length: number;
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly minorVersion: number;
  /** Whether another request may follow. */
  readonly keepsAlive: boolean;
  /** In bytes. */
  readonly bodyLength: number;
}

let facts: ParserFacts | undefined;
/** Where the addon puts what it finds. */
let words: Int32Array | undefined;

/** Must not be called before `learnParser`. */
export function parserFacts(): ParserFacts {
  return facts as ParserFacts;
}

/** Looks whether this node's parser reports plain requests as we would. */
export function learnParser(parserClass: ParserFacts['parserClass'] | undefined): boolean {
  if (parserClass === undefined) return false;
  facts ??= studyParser(parserClass);
  return facts !== undefined;
}

/** There is one engine for each thread, as there is one of this module. */
function learnWords({ native }: Engine): Int32Array {
  native.setHeaderNames(HEADER_NAMES);
  return native.layout.requestHead;
}

/** The parts of the plain request at `start`; undefined if there is none. */
export function scanHead(
  host: ReadingServer,
  engine: Engine,
  data: Buffer,
  start: number,
  end: number,
): PlainHead | undefined {
  // Before the scan: options may be getters, which run the program.
  const { longestHead, servesPlain } = host;
  if (!servesPlain) return undefined;
  const text = engine.native.scanRequest(data === engine.inboxMemory ? undefined : data, start, end);
  if (text === undefined || text.length > longestHead) return undefined;
  words ??= learnWords(engine);
  const minorVersion = words[RequestHead.MinorVersion] as number;
  // Node refuses it, unless the server does not mind.
  if (minorVersion === 1 && words[RequestHead.HasHost] === 0) return undefined;
  const count = words[RequestHead.HeaderCount] as number;
  const rawHeaders = new Array<string>(2 * count);
  for (let i = 0, word: number = RequestHead.Headers; i < 2 * count; i += 2, word += 4) {
    const start = words[word] as number;
    rawHeaders[i] = (start < 0 ? HEADER_NAMES[~start] : text.slice(start, words[word + 1])) as string;
    rawHeaders[i + 1] = text.slice(words[word + 2], words[word + 3]);
  }
  return {
    length: text.length,
    method: PLAIN_METHODS[words[RequestHead.Method] as number] as string,
    url: text.slice(words[RequestHead.TargetStart], words[RequestHead.TargetEnd]),
    rawHeaders,
    minorVersion,
    keepsAlive: words[RequestHead.KeepsAlive] === 1,
    bodyLength: Math.max(0, words[RequestHead.ContentLength] as number),
  };
}

/** Its version is 1.1 at first: node's ServerResponse would otherwise look into the headers. */
export function makeRequest(
  host: { readonly emitter: ServerWithFields },
  Class: RequestClass,
  socket: SocketContract,
  head: PlainHead,
): Incoming {
  const request = new Class(socket);
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  request.httpVersion = '1.1';
  request.joinDuplicateHeaders = host.emitter.joinDuplicateHeaders as boolean;
  request.url = head.url;
  request.method = head.method;
  request.upgrade = false;
  request.rawHeaders = head.rawHeaders;
  setHeadersCount(request, head.rawHeaders.length);
  return request;
}
