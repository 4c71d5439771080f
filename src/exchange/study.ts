/**
 * Whether this node's responses work as the fast path of `end()` assumes. The fast path bypasses node's own code, so a
 * change there could lose or reorder writes: it is disabled unless both produce the same result here.
 */
import type { Outgoing, SocketContract } from './contracts.js';
import { settleEnd, type EndCallback } from '../node/http-messages.js';
import { newRequest, newResponse } from './genuine-messages.js';
import { storeClosingHeader } from './closing-head.js';
import { endsShort, hasten, isShort, METHODS_ARE_NODES } from './response.js';

/** As much of a socket and its connection as a response uses. */
class SampleSocket {
  readonly writable = true;
  readonly destroyed = false;
  readonly writableLength = 0;
  readonly writableHighWaterMark = 1000;
  readonly writableCorked = 0;
  readonly _writableState = { corked: 0 };
  _httpMessage: Outgoing | null = null;
  text = '';
  readonly callbacks: EndCallback[] = [];
  readonly _owner = {
    server: { uniqueHeaders: new Set<string>(), responseOptions: { rejectNonStandardBodyWrites: false } },
    writeWhole: (head: string, body: string | Uint8Array, tail: string): void => {
      for (const part of [head, body, tail]) this.write(part);
    },
    awaitFinish: (): void => undefined,
  };

  write(data: string | Uint8Array, _encoding?: unknown, callback?: EndCallback | null): boolean {
    this.text += typeof data === 'string' ? data : Buffer.from(data).toString('latin1');
    if (callback) this.callbacks.push(callback);
    return true;
  }

  cork(): void {
    // Nothing is held back.
  }

  uncork(): void {
    // Nothing was held back.
  }
}

interface Sample {
  socket: SampleSocket;
  response: Outgoing;
}

function makeSample(storeHeader: StoreHeader, short: boolean, prepare: Prepare): Sample {
  const socket = new SampleSocket();
  const request = newRequest(socket);
  Object.assign(request, { httpVersionMajor: 1, httpVersionMinor: 1, method: 'GET' });
  const options = { highWaterMark: 1000, rejectNonStandardBodyWrites: false };
  const bare = newResponse(request, options);
  const response = hasten(bare, storeHeader, short);
  prepare(response);
  socket._httpMessage = response;
  response.socket = socket as unknown as SocketContract;
  response.sendDate = false;
  return { socket, response };
}

type StoreHeader = Outgoing['_storeHeader'];

/** What else is done to a response before its program has it. */
type Prepare = (response: Outgoing) => void;

type Act = (response: Outgoing, callback: () => void) => unknown;

/** Responses that take the fast path. */
const WHOLE: readonly Act[] = [
  (response) => response.end('body'),
  (response, callback) => response.end(Buffer.from('body'), callback),
  (response, callback) => response.end(callback),
  (response) => response.setHeader('Content-Length', 4).end('body'),
  (response) => response.writeHead(200, { 'Content-Length': 4 }).end('body'),
  (response) => response.writeHead(204).end(),
  (response) => response.writeHead(200, { 'X-Name': 'value' }).end('body'),
  (response) => response.writeHead(200).end(Buffer.from('body')),
  (response) => response.writeHead(200).end(),
  (response) => response.setHeader('Set-Cookie', ['a', 'b']).end('body'),
];

/** After any of these, the response may hold something back: only node's own `end()` knows where. */
const BEGUN: readonly Act[] = [
  (response) => response.setHeader('Content-Length', 2).write('a'),
  (response) => response.writeHead(200, { 'Content-Length': 2 }).write('a'),
  (response) => response.write(Buffer.from('a')),
  (response) => {
    response.flushHeaders();
  },
  (response) => {
    response.cork();
    response.writeHead(200, { 'Content-Length': 2 }).write('a');
  },
];

/** An object or function counts only as present; an array by its length. */
function outline(value: unknown): unknown {
  if (Array.isArray(value)) return value.length;
  return typeof value === 'object' || typeof value === 'function' ? value !== null : value;
}

function areAlike(one: Outgoing, other: Outgoing): boolean {
  const [a, b] = [one, other] as unknown as Record<string | symbol, unknown>[];
  return Reflect.ownKeys({ ...a, ...b }).every(
    (key) => key === 'end' || key === '_storeHeader' || outline(a?.[key]) === outline(b?.[key]),
  );
}

function endsAlike(act: Act, nodesHead: StoreHeader, ownHead: StoreHeader, prepare: Prepare): boolean {
  const [nodes, ours] = [makeSample(nodesHead, false, prepare), makeSample(ownHead, true, prepare)];
  let told = 0;
  for (const { response } of [nodes, ours]) {
    response.on('prefinish', () => told++);
    act(response, () => told++);
  }
  if (!endsShort(ours.response) || nodes.socket.text !== ours.socket.text) return false;
  if (!areAlike(nodes.response, ours.response)) return false;
  for (const callback of nodes.socket.callbacks) callback(null);
  const toldByNode = told;
  for (const callback of settleEnd(ours.response, null)) callback(null);
  ours.response.emit('finish');
  // Both emitted as much: 'prefinish' has been counted twice by now, plus the callbacks.
  return told - toldByNode === toldByNode - 2 && areAlike(nodes.response, ours.response);
}

function isHeldBack(act: Act, storeHeader: StoreHeader, prepare: Prepare): boolean {
  const { socket, response } = makeSample(storeHeader, true, prepare);
  act(response, () => undefined);
  return !isShort(response, socket as unknown as SocketContract, 'b', undefined);
}

/** Whether the fast path, with headers built by `ownHead`, has the effect of node's own with `nodesHead`. */
export function study(nodesHead: StoreHeader, ownHead: StoreHeader, prepare: Prepare = () => undefined): boolean {
  // A replacement must not be called with responses that no request has.
  if (!METHODS_ARE_NODES) return false;
  try {
    return (
      WHOLE.every((act) => endsAlike(act, nodesHead, ownHead, prepare)) &&
      BEGUN.every((act) => isHeldBack(act, ownHead, prepare))
    );
  } catch {
    return false;
  }
}

let comesToTheSame: boolean | undefined;

/** Whether the fast path of `end()` has the effect of node's own: found out with the first server. */
export function endsMayBeShort(): boolean {
  return (comesToTheSame ??= study(storeClosingHeader, storeClosingHeader));
}
