/** What all objects behind `req.socket` have in common that are no streams: see socket.ts, and http/stand-in.ts. */
import {
  argTypeError,
  nullValuesError,
  stringAsBufferError,
  unknownEncodingError,
  writeAfterEndError,
  writeDestroyedError,
} from '../errors/index.js';
import { now } from '../engine/clock.js';
import { IdleTimer } from '../net/idle-timer.js';
import type { Sink } from '../net/sink.js';
import type { WriteCallback } from '../node/stream-state.js';
import type { ConnectionContract, SocketContract } from './contracts.js';

/** The stream state that node's code reads: enough for `stream.finished()` to detect the end. */
export interface StreamOutline {
  corked: number;
  closed: boolean;
  destroyed: boolean;
  needDrain: boolean;
  readonly autoDestroy: true;
  readonly emitClose: true;
  readonly objectMode: false;
}

export function makeOutline(destroyed: boolean): StreamOutline {
  return {
    corked: 0,
    closed: destroyed,
    destroyed,
    needDrain: false,
    autoDestroy: true,
    emitClose: true,
    objectMode: false,
  };
}

/** The socket of a connection that has closed. */
export function closeSocket(
  socket: SocketContract,
  outline: StreamOutline | undefined,
  timer: IdleTimer | undefined,
): void {
  socket.readable = socket.writable = false;
  socket.destroyed = true;
  timer?.stop();
  if (outline !== undefined) outline.destroyed = outline.closed = true;
}

export function readyStateOf({ readable, writable }: SocketContract): 'open' | 'readOnly' | 'writeOnly' | 'closed' {
  if (readable) return writable ? 'open' : 'readOnly';
  return writable ? 'writeOnly' : 'closed';
}

/** Reports to its connection that nothing has been read or written for a while. */
export function makeIdleTimer(owner: ConnectionContract & { readonly sink?: Sink | undefined }): IdleTimer {
  return new IdleTimer(
    () => {
      owner.onIdle();
    },
    () => now() - (owner.sink?.idle ?? Infinity),
  );
}

function nothing(): void {
  // This write has no callback.
}

/** Throws where a stream of node's does. */
function checkEncoding(encoding: unknown, data: unknown): void {
  if (encoding === 'buffer') {
    if (typeof data === 'string') throw stringAsBufferError();
  } else if (!Buffer.isEncoding(encoding as string)) {
    throw unknownEncodingError(encoding);
  }
}

/** As in node's streams: bytes in any view. */
function bytesOf(chunk: unknown): Buffer {
  if (chunk === null) throw nullValuesError();
  if (!ArrayBuffer.isView(chunk)) {
    throw argTypeError('chunk', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk);
  }
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** Writes to these connections are held while their socket is corked. */
interface Holding {
  hold?(data: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback | undefined): boolean;
}

/** The `write()` of a stream. `isHeld`: until the socket is uncorked. */
export function writeOn(
  socket: Pick<SocketContract, 'writable' | 'destroyed'> & { readonly _owner: ConnectionContract & Holding },
  data: string | Uint8Array,
  encoding: BufferEncoding | WriteCallback | null | undefined,
  callback: WriteCallback | null | undefined,
  isHeld: boolean,
): boolean {
  if (typeof encoding === 'function') {
    callback = encoding;
    encoding = undefined;
  }
  if (encoding) checkEncoding(encoding, data);
  else encoding = 'utf8';
  if (typeof data !== 'string' && !(data instanceof Uint8Array)) data = bytesOf(data);
  if (!socket.writable) {
    const error = socket.destroyed ? writeDestroyedError() : writeAfterEndError();
    process.nextTick(callback ?? nothing, error);
    return false;
  }
  const { _owner: owner } = socket;
  if (isHeld && owner.hold !== undefined) return owner.hold(data, encoding, callback ?? undefined);
  return owner.write(data, encoding, callback ?? undefined);
}

/** A socket as `endOn` uses it: with the `write()` that it has by then. */
interface Ending {
  readonly _owner: ConnectionContract;
  write(data: string | Uint8Array, encoding?: BufferEncoding, callback?: WriteCallback): boolean;
}

/** The `end()` of a stream: a callback may be in the place of the data or of their encoding. */
export function endOn(
  socket: Ending,
  data: string | Uint8Array | WriteCallback | null | undefined,
  encoding: BufferEncoding | WriteCallback | null | undefined,
  callback: WriteCallback | undefined,
): void {
  const last = [data, encoding, callback].find((argument) => typeof argument === 'function');
  if (data !== undefined && data !== null && typeof data !== 'function') {
    socket.write(data, typeof encoding === 'function' ? undefined : (encoding ?? undefined), last);
  } else if (last !== undefined) {
    socket.write('', 'latin1', last);
  }
  socket._owner.finishWriting();
}
