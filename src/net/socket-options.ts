/** The options of a socket. */
import { BlockList } from 'node:net';
import type { Engine } from '../engine/engine.js';
import { argTypeError, argValueError } from '../errors/index.js';
import type { NativeBuffers, NativeConnectionOptions } from '../binding/addon.js';
import { HAS_BLOCK_LIST_OPTION } from '../runtime/version.js';
import { checkNumber, type TransportOptions } from '../config/options.js';
import { nativeBuffers } from './buffers.js';

/** What `onread` takes, as `node:net` has it. */
export interface OnreadOptions {
  /** What is read into, or what returns it, called before each read. */
  buffer: Uint8Array | (() => Uint8Array);
  /** Called with the number of bytes that were read and what they lie in. `false` stops reading until `resume()`. */
  callback(bytes: number, buffer: Uint8Array): boolean | undefined;
}

/** Options of `new Socket()`: those of `node:net`, and nearwire's own. */
export interface SocketOptions extends TransportOptions {
  /**
   * Takes over this descriptor, a connected stream socket. For another readable descriptor (a pipe), node:net makes the
   * socket, unless `native` is requested: then ERR_NEARWIRE_NOT_NATIVE.
   */
  fd?: number | undefined;
  /** Do not end the writable side when the peer has ended its own. Default false. */
  allowHalfOpen?: boolean | undefined;
  /** Whether the socket can be read from. Default true. */
  readable?: boolean | undefined;
  /** Whether the socket can be written to. Default true. */
  writable?: boolean | undefined;
  /**
   * Read into the caller's buffer, or into the one that the function returns before each read, and call back with the
   * number of bytes and that buffer. Nothing more is read until the callback has run; if it returns false, nothing
   * until `resume()`. 'data' is not emitted. On `native` the bytes are not copied; a buffer that is empty or detached
   * causes ENOBUFS.
   */
  onread?: OnreadOptions | undefined;
  /** Destroys the socket when aborted. */
  signal?: AbortSignal | undefined;
  /** Bytes buffered before a write returns false, or reading stops. Default: that of node's streams. */
  highWaterMark?: number | undefined;
  /** `highWaterMark` of the readable side alone, in bytes. */
  readableHighWaterMark?: number | undefined;
  /** `highWaterMark` of the writable side alone, in bytes. */
  writableHighWaterMark?: number | undefined;
  /** TCP: send small writes at once (TCP_NODELAY). Default false. */
  noDelay?: boolean | undefined;
  /** TCP: probe a silent peer (SO_KEEPALIVE). Default false. */
  keepAlive?: boolean | undefined;
  /** Milliseconds before the first keep-alive probe; 0 leaves the system's default. */
  keepAliveInitialDelay?: number | undefined;
  /** Addresses not to connect to, from node 22 on. */
  blockList?: BlockList | undefined;
}

/** The options of the Duplex: node:net's choices, whatever the caller passes. */
export interface StreamOptions {
  /** The socket itself emits 'close', with `hadError`. */
  emitClose: false;
  autoDestroy: true;
  /** Strings are passed to the connection unchanged. */
  decodeStrings: false;
  allowHalfOpen: boolean;
  readableHighWaterMark: number | undefined;
  writableHighWaterMark: number | undefined;
}

/** The options of a socket that a server accepts. */
export function acceptedOptions(allowHalfOpen: boolean, highWaterMark: number | undefined): StreamOptions {
  return {
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
    allowHalfOpen,
    readableHighWaterMark: highWaterMark,
    writableHighWaterMark: highWaterMark,
  };
}

/** Checks a caller's options and adds the fixed ones. */
export function streamOptions(options: SocketOptions | undefined): StreamOptions {
  const given: Record<string, unknown> = { ...options };
  for (const name of ['objectMode', 'readableObjectMode', 'writableObjectMode']) {
    if (given[name]) throw argValueError(`options.${name}`, given[name], 'is not supported');
  }
  if (options?.keepAliveInitialDelay !== undefined) {
    checkNumber(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay');
  }
  const { blockList }: { blockList?: unknown } = options ?? {};
  if (HAS_BLOCK_LIST_OPTION && blockList && !(blockList instanceof BlockList)) {
    throw argTypeError('options.blockList', 'an net.BlockList', blockList);
  }
  return {
    ...given,
    ...acceptedOptions(Boolean(options?.allowHalfOpen), undefined),
    readableHighWaterMark: options?.readableHighWaterMark ?? options?.highWaterMark,
    writableHighWaterMark: options?.writableHighWaterMark ?? options?.highWaterMark,
  };
}

/** Converts the keep-alive delay from milliseconds to the whole seconds that the system takes. */
export function delaySeconds(milliseconds: number | undefined): number {
  return Math.max(0, Math.trunc((milliseconds ?? 0) / 1000)) || 0;
}

/** The socket options that the kernel applies, from the start of a connection. */
export interface SocketSettings extends NativeBuffers {
  engine: Engine;
  noDelay: boolean;
  keepAlive: boolean;
  /** Seconds. */
  keepAliveDelay: number;
}

export function socketSettings(engine: Engine, options: SocketOptions | undefined): SocketSettings {
  return {
    engine,
    ...nativeBuffers(options),
    noDelay: Boolean(options?.noDelay),
    keepAlive: Boolean(options?.keepAlive),
    keepAliveDelay: delaySeconds(options?.keepAliveInitialDelay),
  };
}

export function connectionOptions(settings: SocketSettings, paused: boolean): NativeConnectionOptions {
  const { sendBufferSize, recvBufferSize, smallBuffers, noDelay, keepAlive, keepAliveDelay } = settings;
  return { owned: true, sendBufferSize, recvBufferSize, smallBuffers, noDelay, keepAlive, keepAliveDelay, paused };
}
