/**
 * Parses a request's headers, from the bytes to the method, target and headers that the server gets: with node's
 * parser, and as the engine does for plain requests. (Node's parser usually takes bytes without
 * passing through JavaScript; `execute`, which is measured here, costs one crossing more.)
 */
import { createServer, maxHeaderSize } from 'node:http';
import { Socket } from 'node:net';

import { getEngine, scanHead, studyParser, type NodeParser, type ParserFacts } from 'nearwire/internal';
import { counted, type Operation, type Rivals } from './operation.js';

const HEADS = 200;

/** What a browser sends through a proxy. */
const BROWSERS_HEADERS = [
  'Host: www.example.com',
  'X-Real-IP: 203.0.113.7',
  'X-Forwarded-For: 203.0.113.7',
  'X-Forwarded-Proto: https',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.5',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Referer: https://www.example.com/start',
  'Cookie: session=0123456789abcdef0123456789abcdef',
];

function headOf(headers: number): Buffer {
  const lines = ['GET /some/page HTTP/1.1', ...BROWSERS_HEADERS.slice(0, headers), '', ''];
  return Buffer.from(lines.join('\r\n'));
}

interface Connection {
  readonly parser: NodeParser;
  readonly facts: ParserFacts;
}

/** One of node's parsers, set up by its server for a socket that is not connected. */
function connection(): Connection {
  const socket = new Socket() as Socket & { parser?: NodeParser | null };
  createServer().emit('connection', socket);
  const { parser } = socket;
  const facts = parser ? studyParser(parser.constructor) : undefined;
  if (!parser || !facts) throw new Error(`the parser of Node ${process.versions.node} is not known`);
  return { parser, facts };
}

function byNode(headers: number): Operation {
  const { parser, facts } = connection();
  const { kOnHeadersComplete, kOnMessageComplete } = facts.parserClass;
  let told = 0;
  parser[kOnHeadersComplete] = (_major: number, _minor: number, rawHeaders?: readonly string[]) => {
    if (rawHeaders?.length === 2 * headers) told++;
    return 0;
  };
  parser[kOnMessageComplete] = () => undefined;
  const head = headOf(headers);
  return counted(
    HEADS,
    () => facts.execute.call(parser, head),
    () => told,
  );
}

function byOurs(headers: number): Operation {
  const engine = getEngine();
  if (!engine) throw new Error('the addon did not load');
  const limits = { longestHead: maxHeaderSize, servesPlain: true };
  const head = headOf(headers);
  let told = 0;
  return counted(
    HEADS,
    () => {
      if (scanHead(limits, engine, head, 0, head.length)?.rawHeaders.length === 2 * headers) told++;
    },
    () => told,
  );
}

export function headParsing(headers: number): Rivals {
  return { 'node:net': () => byNode(headers), native: () => byOurs(headers) };
}
