/**
 * Native sockets and servers sent with messages to another process: `child.send(message, socket)`, `process.send()`.
 *
 * node sends the handle of such an object, and ours have none that it knows. So a stand-in is sent instead: a socket or
 * server of node's over a duplicate of the descriptor. Everything else, the queue and the acknowledgements, is node's
 * own. As with node's sockets, data that has already been read is not sent: a program that passes connections on
 * accepts them with `pauseOnConnect`.
 */
import type { ChildProcess } from 'node:child_process';
import * as net from 'node:net';
import { errnoError } from '../errors/index.js';
import { handleOf, serverWithHandle } from '../node/handles.js';
import { uncountedServer, type SendingServer } from '../node/server-connections.js';
import { nodeChildProcess } from '../runtime/modules.js';
import { ChildStreams } from './child-streams.js';
import { transferToProcess } from './detach.js';
import { isListenHandle } from './listen-handle.js';
import { NativeSocket } from './socket.js';

interface SendOptions {
  /** Leave the sender's socket open. Default false. */
  keepOpen?: boolean;
}
type SendCallback = (error: Error | null) => void;

/** A ChildProcess, or `process`. */
interface Sender {
  connected: boolean;
  send?: Send;
}
type Send = (
  this: Sender,
  message: unknown,
  handle?: unknown,
  options?: SendOptions | SendCallback,
  callback?: SendCallback,
) => boolean;

/** Fields that node:http sets on a socket, and removes when the socket is sent. */
interface HttpFields {
  parser?: unknown;
  _httpMessage?: unknown;
}

type StandIn = net.Socket & HttpFields & { server: SendingServer | null };

/** Types of messages that node sends; it rejects others before it checks the handle. */
const MESSAGE_TYPES = ['string', 'object', 'number', 'boolean'];

/** A socket of node's over the same connection; undefined for an unconnected one, for which node sends no handle. */
function standInFor(socket: NativeSocket, keepOpen: boolean): StandIn | undefined {
  const connection = socket._connection;
  if (connection === undefined || !connection.open || socket.connecting) return undefined;
  const { native } = connection.engine;
  const fd = native.duplicate(native.fileDescriptor(connection.id));
  if (fd < 0) throw errnoError(fd, 'dup');
  const standIn = new net.Socket({ fd, readable: false }) as StandIn;
  const server = socket.server as SendingServer | null;
  standIn.server = server;
  if (!keepOpen) {
    const { parser, _httpMessage } = socket as HttpFields;
    return Object.assign(standIn, { parser, _httpMessage });
  }
  connection.noteShared();
  if (server !== null) standIn.server = uncountedServer(server);
  return standIn;
}

/** Closes the sender's socket for its program, as node does: it may still be destroyed. */
function giveAway(socket: NativeSocket): void {
  socket.setTimeout(0);
  // The stand-in has decremented the count instead.
  socket._server = null;
  Object.assign(socket, { parser: null, _httpMessage: null } satisfies HttpFields);
  if (socket._connection !== undefined) transferToProcess(socket._connection);
}

function sendSocket(
  sender: Sender,
  originalSend: Send,
  socket: NativeSocket,
  message: unknown,
  more: SendWords,
): boolean {
  const { options, callback } = more;
  const keepOpen = Boolean(options?.keepOpen);
  const standIn = standInFor(socket, keepOpen);
  if (standIn === undefined) return originalSend.call(sender, message, undefined, options, callback);
  try {
    return originalSend.call(sender, message, standIn, { ...options, keepOpen: false }, callback);
  } catch (error) {
    standIn.destroy();
    throw error;
  } finally {
    if (!keepOpen && !standIn.destroyed) giveAway(socket);
  }
}

interface SendWords {
  options: SendOptions | undefined;
  callback: SendCallback | undefined;
}

function wrapSend(sender: Sender): void {
  const originalSend = sender.send;
  if (originalSend === undefined) return;
  sender.send = function send(message, handle, options, callback) {
    if (handle instanceof net.Server) {
      const listening = handleOf(handle);
      const sent = isListenHandle(listening) ? serverWithHandle(listening.genuine()) : handle;
      return originalSend.call(this, message, sent, options, callback);
    }
    // The program sends what it found in the server's own field.
    if (isListenHandle(handle)) return originalSend.call(this, message, handle.genuine(), options, callback);
    const ours = handle instanceof NativeSocket && this.connected && MESSAGE_TYPES.includes(typeof message);
    // node rejects other options.
    const understood = options === undefined || typeof options === 'function' || typeof options === 'object';
    if (!ours || !understood) return originalSend.call(this, message, handle, options, callback);
    const words = typeof options === 'function' ? { options: undefined, callback: options } : { options, callback };
    return sendSocket(this, originalSend, handle, message, words);
  };
}

interface SpawnOptions {
  stdio?: unknown;
}
type Spawn = (this: ChildProcess, options: SpawnOptions) => unknown;

/** Converts a standard stream of a child for node: native sockets and servers to their descriptors. */
function standardStream(stream: unknown, index: number, streams: ChildStreams): unknown {
  if (stream instanceof NativeSocket && stream._connection?.open === true) {
    return streams.descriptorOf(stream, stream._connection, index);
  }
  if (!(stream instanceof net.Server)) return stream;
  const listening = handleOf(stream);
  return isListenHandle(listening) ? listening.fd : stream;
}

/** Spawns a child whose standard streams may be native ones. */
function spawnOn(child: ChildProcess, originalSpawn: Spawn, options: SpawnOptions, stdio: readonly unknown[]): unknown {
  const streams = new ChildStreams();
  try {
    options.stdio = stdio.map((stream, index) => standardStream(stream, index, streams));
    return originalSpawn.call(child, options);
  } finally {
    if (child.pid === undefined) streams.cancel();
    else streams.start(child);
  }
}

/**
 * Makes `send` of this process, and of the children that it starts from now on, accept native sockets and servers; and
 * `stdio` too.
 */
export function installIpc(): void {
  wrapSend(process as Sender);
  const prototype = nodeChildProcess().ChildProcess.prototype as unknown as { spawn: Spawn };
  const originalSpawn = prototype.spawn;
  prototype.spawn = function spawn(options) {
    const { stdio } = options;
    const result = Array.isArray(stdio)
      ? spawnOn(this, originalSpawn, options, stdio)
      : originalSpawn.call(this, options);
    if (Object.hasOwn(this, 'send')) wrapSend(this as unknown as Sender);
    return result;
  };
}
