/** The servers that mutated conversations are held with: what they listen to, and how their program answers. */
import type { Setting } from './talk.js';

type Respond = NonNullable<Setting['respond']>;

const inParts: Respond = ({ method }, response) => {
  response.writeHead(201, { 'X-Kept': String(response.shouldKeepAlive), 'Content-Type': 'text/plain' });
  response.write('first ');
  response.write(String(method));
  process.nextTick(() => response.end(' last'));
};

const later: Respond = ({ url }, response) => {
  setImmediate(() => {
    response.setHeader('X-Kept', String(response.shouldKeepAlive));
    response.end(`later ${String(url)}`);
  });
};

const byPromise: Respond = ({ url }, response, body) => {
  void Promise.resolve().then(() => response.end(`${String(url)} ${body}`));
};

/** Ends the connection now and then. */
const closing: Respond = ({ url }, response) => {
  if (url !== '/plain') response.setHeader('Connection', 'close');
  response.statusCode = 204;
  response.end();
};

/** Without an answer. */
const destroying: Respond = (request, response) => {
  if (request.url === '/plain') response.end('plain');
  else request.socket.destroy();
};

export const SETTINGS: Readonly<Record<string, Setting>> = {
  'listens to all': { family: 'unix', listens: true },
  'listens to requests': { family: 'unix', listens: false },
  'answers in parts': { family: 'unix', listens: true, respond: inParts },
  'answers in parts before the body has come': { family: 'unix', listens: false, respond: inParts, reads: 'meanwhile' },
  'answers before the body has come': { family: 'unix', listens: true, reads: 'meanwhile' },
  'reads no body': { family: 'unix', listens: false, reads: 'never' },
  'answers later': { family: 'unix', listens: true, respond: later },
  'answers later, and reads no body': { family: 'unix', listens: false, respond: later, reads: 'never' },
  'answers by a promise': { family: 'unix', listens: false, respond: byPromise },
  'ends connections': { family: 'unix', listens: true, respond: closing, reads: 'meanwhile' },
  'destroys connections': { family: 'unix', listens: false, respond: destroying },
  'destroys connections before the body has come': {
    family: 'unix',
    listens: true,
    respond: destroying,
    reads: 'meanwhile',
  },
  'requires no Host': { family: 'unix', listens: false, options: { requireHostHeader: false } },
  'joins duplicates': { family: 'unix', listens: true, options: { joinDuplicateHeaders: true } },
  'takes short heads': { family: 'unix', listens: true, options: { maxHeaderSize: 100 } },
};
