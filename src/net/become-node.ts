/**
 * Turns a connected native socket into one of node:net's: the same object, whose descriptor moves from the engine to
 * one of node's handles. For code that uses such handles from C++: TLS, HTTP/2, and passing sockets to other processes.
 */
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import { holdsFiles } from './file-chunk.js';
import { giveAway } from './detach.js';
import { handleOf } from '../node/handles.js';
import { setHandleOwner } from '../node/handle-owner.js';
import { tagJsSocket } from './js.js';
import { nativeFields } from './native-fields.js';
import { tellNodeClose } from '../stats/events.js';
import { counterOf } from '../stats/server-counter.js';
import { noteEnd, type NativeSocket } from './socket.js';

/** The part of node's handles that is used here. */
interface NodeHandle {
  bytesRead: number;
  bytesWritten: number;
  unref(): void;
}

/** The 'end' listener of node's own constructor. */
const [originalEndListener] = new net.Socket().listeners('end') as (() => void)[];

const PLAIN_FIELD = { writable: true, enumerable: true, configurable: true };

/** Own fields of every stream: they hold buffers and listeners, and are kept. */
const STREAM_FIELDS = new Set(Reflect.ownKeys(new Duplex()));

/** Node's counts come from its handle. The new handle starts at zero, the socket must not. */
function countFrom(handle: NodeHandle, name: 'bytesRead' | 'bytesWritten', before: number): void {
  const prototype = Object.getPrototypeOf(handle) as object;
  Object.defineProperty(handle, name, {
    configurable: true,
    get: () => before + (Reflect.get(prototype, name, handle) as number),
  });
}

/**
 * Takes the descriptor and the handle from `carrier`, a new net.Socket, and all fields that node's constructor sets.
 */
function takeOver(socket: NativeSocket, carrier: net.Socket): NodeHandle {
  const { server, _server: counted, timeout, allowHalfOpen, _message: message } = socket;
  // Fields that a program has set are kept.
  for (const name of nativeFields(socket._settings.engine)) Reflect.deleteProperty(socket, name);
  for (const name of Reflect.ownKeys(carrier)) {
    if (!STREAM_FIELDS.has(name) && name !== '_eventsCount') Reflect.set(socket, name, Reflect.get(carrier, name));
  }
  Object.assign(socket, { server, _server: counted, allowHalfOpen });
  if (timeout !== undefined) Object.assign(socket, { timeout });
  Reflect.deleteProperty(socket, '_message');
  if (message !== undefined) Object.defineProperty(socket, '_httpMessage', { value: message, ...PLAIN_FIELD });
  const handle = handleOf(carrier) as NodeHandle;
  setHandleOwner(handle, socket);
  return handle;
}

/** Keeps counting its bytes for its server. */
function followNode(socket: NativeSocket): void {
  const server = socket._server as (net.Server & NativeSocket['_server']) | null;
  if (server === null) return;
  counterOf(server)?.nodeConnections.follow(socket, socket.bytesRead, socket.bytesWritten);
  tellNodeClose(server, socket);
}

/**
 * Returns false, and changes nothing, if the socket is not connected, is about to end, or has bytes to send that the
 * kernel does not take at once.
 */
export function becomeNode(socket: NativeSocket): boolean {
  const { _connection: connection, connecting } = socket;
  if (connection === undefined || connecting || !connection.open || socket._held !== undefined) return false;
  // Queued files are not chunks that node could send.
  if (holdsFiles(socket)) return false;
  // Bytes that were read but not delivered are in the program's buffer.
  if (socket._onread !== undefined) return false;
  // The engine must report an end that is in progress.
  if (socket.writableEnded && !socket.writableFinished) return false;
  const detached = giveAway(connection);
  if (detached === undefined) return false;
  const { fd, unread, reading } = detached;
  const { bytesRead, bytesWritten } = connection;
  const { timeout, _unreferenced: unreferenced } = socket;
  socket._idle?.stop();

  const carrier = new net.Socket({ fd, manualStart: true } as net.SocketConstructorOpts);
  const handle = takeOver(socket, carrier);
  Object.setPrototypeOf(socket, net.Socket.prototype);
  tagJsSocket(socket);
  countFrom(handle, 'bytesRead', bytesRead);
  countFrom(handle, 'bytesWritten', bytesWritten);
  socket.removeListener('end', noteEnd);
  if (originalEndListener !== undefined) socket.prependListener('end', originalEndListener);
  if (unreferenced) handle.unref();
  if (timeout) socket.setTimeout(timeout);
  followNode(socket);
  for (const chunk of unread) socket.push(chunk);
  // The stream has already requested data, and waits for it.
  if (reading) socket._read();
  return true;
}
