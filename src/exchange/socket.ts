/**
 * The object behind `req.socket` and `res.socket`: as much of a net.Socket as node's ServerResponse and the frameworks
 * use. It is not a readable stream, because the protocol reads the connection's bytes; what is written is sent to the
 * peer unchanged.
 */
import type { IdleTimer } from '../net/idle-timer.js';
import type { TransportName } from '../config/options.js';
import type { WriteCallback } from '../node/stream-state.js';
import { BareEmitter } from './bare-emitter.js';
import type { RequestHead } from './codec.js';
import type { ConnectionContract, Outgoing, StandIn } from './contracts.js';
import {
  closeSocket,
  endOn,
  makeIdleTimer,
  makeOutline,
  readyStateOf,
  writeOn,
  type StreamOutline,
} from './stand-in.js';

/** A connection that carries one request. */
export interface HeadedConnection extends ConnectionContract {
  /** The request's headers, once they have arrived. */
  readonly head: RequestHead | undefined;
}

/**
 * The object behind `req.socket` and `res.socket`: the part of `net.Socket` that Node's responses and frameworks use.
 */
export class ExchangeSocket extends BareEmitter implements StandIn {
  /** Whether the connection is open for reading. */
  readable = true;
  /** Whether the connection accepts writes. */
  writable = true;
  /** Whether the connection is closed. */
  destroyed = false;
  /** Set by node's servers while reading is paused, regardless of the request. It is never set here. */
  readonly _paused = false;
  /** @internal */
  _hadError = false;
  /** @internal */
  _httpMessage: Outgoing | null = null;
  /** @internal */
  readonly _owner: HeadedConnection;
  private state: StreamOutline | undefined;
  private idle: IdleTimer | undefined;

  constructor(connection: HeadedConnection) {
    super();
    this._owner = connection;
  }

  /** The transport in use. */
  get transport(): TransportName {
    return this._owner.carrier.transport;
  }

  /** The server that accepted the connection. */
  get server(): object {
    return this._owner.server.emitter;
  }

  /** The client's address, as reported by the reverse proxy. */
  get remoteAddress(): string | undefined {
    return this._owner.head?.remoteAddress;
  }

  /** The client's port, as reported by the reverse proxy. */
  get remotePort(): number | undefined {
    return this._owner.head?.remotePort;
  }

  /** The family of `remoteAddress`. */
  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    const { remoteAddress } = this;
    return remoteAddress === undefined ? undefined : remoteAddress.includes(':') ? 'IPv6' : 'IPv4';
  }

  /**
   * The address that the client connected to, as reported by the reverse proxy, or otherwise the local end of the
   * connection.
   */
  get localAddress(): string | undefined {
    const { head, carrier } = this._owner;
    return head?.localAddress ?? carrier.localAddress;
  }

  /** The port that the client connected to, as reported by the reverse proxy. */
  get localPort(): number | undefined {
    return this._owner.head?.localPort;
  }

  /** The client's connection to the reverse proxy uses TLS. */
  get encrypted(): boolean {
    return this._owner.head?.encrypted === true;
  }

  /**
   * On node's plain TCP sockets it is an ordinary property, which programs set if they know better than the reverse
   * proxy.
   */
  set encrypted(value: boolean) {
    Object.defineProperty(this, 'encrypted', { value, enumerable: true, configurable: true, writable: true });
  }

  /** Always false: the connection was accepted. */
  get connecting(): boolean {
    return false;
  }

  /** Always false: the connection was accepted. */
  get pending(): boolean {
    return false;
  }

  /** Which directions are open. */
  get readyState(): 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    return readyStateOf(this);
  }

  /** The server's `highWaterMark`, in bytes. */
  get readableHighWaterMark(): number {
    return this._owner.server.highWaterMark;
  }

  /** The server's `highWaterMark`, in bytes. */
  get writableHighWaterMark(): number {
    return this._owner.server.highWaterMark;
  }

  /** Bytes that the kernel has not taken yet. */
  get writableLength(): number {
    return this._owner.waitingBytes;
  }

  /** Whether a write has returned false, and 'drain' has not been emitted since. */
  get writableNeedDrain(): boolean {
    return this.writable && this._owner.owesDrain;
  }

  /** The number of calls of `cork()` without an `uncork()`. */
  get writableCorked(): number {
    return this.state?.corked ?? 0;
  }

  /** Whether no more will be written. */
  get writableEnded(): boolean {
    return this._owner.ended;
  }

  /** @internal */
  get _writableState(): StreamOutline {
    return (this.state ??= makeOutline(this.destroyed));
  }

  /** The writes of one tick leave together in any case: this only counts. */
  cork(): void {
    this._writableState.corked++;
  }

  /** Undoes one `cork()`. */
  uncork(): void {
    const { _writableState: state } = this;
    if (state.corked > 0 && --state.corked === 0) this._owner.carrier.uncorked();
  }

  /**
   * Writes raw bytes to the peer. Returns false if the kernel has no room: 'drain' is emitted when it has. A write
   * after the end calls back with ERR_STREAM_WRITE_AFTER_END or ERR_STREAM_DESTROYED. Throws ERR_INVALID_ARG_TYPE
   * unless it gets a string or bytes.
   */
  write(
    data: string | Uint8Array,
    encoding?: BufferEncoding | WriteCallback | null,
    callback?: WriteCallback | null,
  ): boolean {
    return writeOn(this, data, encoding, callback, false);
  }

  /** Writes the data, if any, and closes the connection as soon as its request is complete. */
  end(
    data?: string | Uint8Array | WriteCallback | null,
    encoding?: BufferEncoding | WriteCallback | null,
    callback?: WriteCallback,
  ): this {
    endOn(this, data, encoding, callback);
    return this;
  }

  /** Closes the connection as soon as its request is complete. */
  destroySoon(): void {
    this._owner.finishWriting();
  }

  /** Closes the connection at once. */
  destroy(error?: Error): this {
    this._owner.destroy(error);
    return this;
  }

  /** Stops reading. */
  pause(): this {
    this._owner.pause();
    return this;
  }

  /** Reads again. */
  resume(): this {
    this._owner.resume();
    return this;
  }

  /** Emits 'timeout' when nothing has been read or written for this many milliseconds; 0 turns it off. */
  setTimeout(milliseconds: number, callback?: () => void): this {
    if (callback !== undefined) {
      if (milliseconds === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    if (milliseconds === 0 && this.idle === undefined) return this;
    this.idle ??= makeIdleTimer(this._owner);
    this.idle.set(milliseconds);
    return this;
  }

  /** Does nothing: `noDelay` of the server decides. */
  setNoDelay(): this {
    return this;
  }

  /** Does nothing: `keepAlive` of the server decides. */
  setKeepAlive(): this {
    return this;
  }

  /** Does nothing: open connections keep the process alive. */
  ref(): this {
    return this;
  }

  /** Does nothing: open connections keep the process alive. */
  unref(): this {
    return this;
  }

  /** The local address, port and family; empty over UNIX sockets if the reverse proxy reports none. */
  address(): object {
    const { localAddress: address, localPort: port } = this;
    return address === undefined ? {} : { address, port, family: address.includes(':') ? 'IPv6' : 'IPv4' };
  }

  /** @internal Something has been read or written. */
  _touch(): void {
    this.idle?.touch();
  }

  /** @internal */
  _close(): void {
    closeSocket(this, this.state, this.idle);
  }
}
