/**
 * Writes that bypass the stream's bookkeeping, which costs more than a small write itself. What the kernel does not
 * take at once becomes the stream's pending write, so that the stream handles backpressure, errors and the order of
 * callbacks.
 */
import { stringAsBufferError } from '../errors/index.js';
import { COPY_LIMIT } from '../engine/outbound.js';
import { withReferences } from '../files/page.js';
import { tellDrained } from './drain.js';
import type { SocketFields } from './socket-fields.js';
import type { SocketConnection } from './socket-connection.js';
import { type HeldWrite, type WriteCallback, writableState } from '../node/stream-state.js';

/**
 * Whether such a write may go to the connection directly: it is connected, and the stream has nothing queued before it.
 */
export function takesDirectWrites(socket: SocketFields, callback?: WriteCallback): boolean {
  const connection = socket._connection;
  const state = writableState(socket);
  return (
    connection !== undefined &&
    connection.id >= 0 &&
    !connection.blocked &&
    state.length === 0 &&
    socket._earlyWrite === undefined &&
    // The stream calls back on a later tick for a write that it sent at once; later writes must wait for that.
    (callback === undefined || state.pendingcb === 0) &&
    !socket.connecting &&
    socket.writable
  );
}

/** Queues a small write on the connection: it is copied, and leaves together with the other writes of this turn. */
export function queueWrite(
  socket: SocketFields,
  chunk: string | Uint8Array,
  encoding: BufferEncoding,
  callback: WriteCallback | undefined,
): void {
  const connection = socket._connection as SocketConnection;
  socket._idle?.touch();
  if (typeof chunk === 'string') {
    if (chunk.length > 0) connection.bytesWritten += connection.writeString(chunk, encoding);
  } else if (chunk.length > 0) {
    connection.writeBytes(chunk, 0, chunk.length);
    connection.bytesWritten += chunk.length;
  }
  if (callback !== undefined) connection.whenFlushed(callback);
}

export function toBytes(chunk: string | Uint8Array, encoding: BufferEncoding): Uint8Array {
  if (typeof chunk !== 'string') return chunk;
  // Streams accept it as an encoding, but node's handle rejects it.
  if ((encoding as string) === 'buffer') throw stringAsBufferError();
  return Buffer.from(chunk, encoding);
}

/**
 * Hands these writes to the kernel in one call, together with what is queued before them. Returns the bytes not taken,
 * or a negative errno; 0: they are complete and call back.
 */
function sendWrites(socket: SocketFields, writes: readonly HeldWrite[]): number {
  const connection = socket._connection as SocketConnection;
  socket._idle?.touch();
  const parts: Uint8Array[] = [];
  for (const { chunk, encoding } of writes) {
    if (chunk.length === 0) continue;
    const bytes = toBytes(chunk, encoding);
    connection.bytesWritten += bytes.length;
    parts.push(bytes);
  }
  const references = withReferences(parts);
  const left = references === undefined ? connection.writeLent(parts) : connection.writeParts(references);
  if (left !== 0) return left;
  for (const { callback } of writes) if (callback !== undefined) connection.whenFlushed(callback);
  return 0;
}

/** Keeps a write until the socket is uncorked. Returns the result of write(). */
export function holdWrite(socket: SocketFields, write: HeldWrite): boolean {
  (socket._held ??= []).push(write);
  socket._heldLength += write.chunk.length;
  if (socket._heldLength < socket.writableHighWaterMark) return true;
  writableState(socket).needDrain = true;
  return false;
}

export function takeHeld(socket: SocketFields): HeldWrite[] {
  const held = socket._held ?? [];
  socket._held = undefined;
  socket._heldLength = 0;
  return held;
}

/** Sends a large write at once. Returns false if the stream must take it, with `_sentAhead`. */
export function sendLargeWrite(socket: SocketFields, write: HeldWrite): boolean {
  const left = sendWrites(socket, [write]);
  if (left === 0) return true;
  socket._sentAhead = left;
  return false;
}

/**
 * Sends the held writes. Returns those that the stream must take; `_sentAhead` is set if they have already been sent.
 */
export function sendHeld(socket: SocketFields): readonly HeldWrite[] {
  const held = takeHeld(socket);
  // Scheduled first: a stream emits 'drain' before it calls back.
  if (writableState(socket).needDrain) process.nextTick(tellDrained, socket);
  const engine = socket._connection?.engine;
  engine?.beginJoint();
  try {
    return sendEach(socket, held);
  } finally {
    engine?.endJoint();
  }
}

function sendEach(socket: SocketFields, held: readonly HeldWrite[]): readonly HeldWrite[] {
  for (let i = 0; i < held.length; i++) {
    const { chunk, encoding, callback } = held[i] as HeldWrite;
    if (!takesDirectWrites(socket, callback)) return held.slice(i);
    if (chunk.length <= COPY_LIMIT) {
      queueWrite(socket, chunk, encoding, callback);
      continue;
    }
    // The writes after it are included, so that all take one system call.
    const rest = i === 0 ? held : held.slice(i);
    const left = sendWrites(socket, rest);
    if (left === 0) break;
    socket._sentAhead = left;
    return rest;
  }
  return [];
}
