/**
 * What stands as `req.socket` and `res.socket`: as much of a net.Socket as node's ServerResponse and the frameworks use.
 * It is no stream to read from, as the connection's bytes are its protocol's; what is written goes to the peer as it is.
 */
import { EventEmitter } from 'node:events';
import { writeAfterEndError, writeDestroyedError } from '../errors.js';
import { IdleTimer } from '../net/idle-timer.js';
import type { TransportName } from '../options.js';
import type { Connection } from './connection.js';
import type { WriteCallback } from './ending.js';
import type { Outgoing } from './internals.js';

/** What node's code asks of a stream's state: enough for `stream.finished()` to know when it is over. */
interface StandInState {
  corked: number;
  closed: boolean;
  destroyed: boolean;
  readonly autoDestroy: true;
  readonly emitClose: true;
  readonly objectMode: false;
}

function nothing(): void {
  // Nobody waits for this write.
}

export class ExchangeSocket extends EventEmitter {
  readable = true;
  writable = true;
  destroyed = false;
  /** As node's servers have it: reading rests, whatever the request asks for. */
  readonly _paused = false;
  _hadError = false;
  /** The response that owns the connection now. */
  _httpMessage: Outgoing | null = null;
  /** @internal */
  readonly _connection: Connection;
  private state: StandInState | undefined;
  private idle: IdleTimer | undefined;

  constructor(connection: Connection) {
    super();
    this._connection = connection;
  }

  /** What carries the bytes. */
  get transport(): TransportName {
    return this._connection.carrier.transport;
  }

  get server(): object {
    return this._connection.server;
  }

  /** The client's address, as the front server tells it. */
  get remoteAddress(): string | undefined {
    return this._connection.head?.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this._connection.head?.remotePort;
  }

  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    const { remoteAddress } = this;
    return remoteAddress === undefined ? undefined : remoteAddress.includes(':') ? 'IPv6' : 'IPv4';
  }

  get localAddress(): string | undefined {
    const { head, carrier } = this._connection;
    return head?.localAddress ?? carrier.localAddress;
  }

  get localPort(): number | undefined {
    return this._connection.head?.localPort;
  }

  /** The client speaks TLS to the front server. */
  get encrypted(): boolean {
    return this._connection.head?.encrypted === true;
  }

  get readableHighWaterMark(): number {
    return this._connection.server.highWaterMark;
  }

  get writableHighWaterMark(): number {
    return this._connection.server.highWaterMark;
  }

  /** Bytes that the kernel has not taken yet. */
  get writableLength(): number {
    return this._connection.waitingBytes;
  }

  get writableNeedDrain(): boolean {
    return this.writable && this._connection.owesDrain;
  }

  get writableCorked(): number {
    return this.state?.corked ?? 0;
  }

  get writableEnded(): boolean {
    return this._connection.ended;
  }

  get _writableState(): StandInState {
    const { destroyed } = this;
    return (this.state ??= {
      corked: 0,
      closed: destroyed,
      destroyed,
      autoDestroy: true,
      emitClose: true,
      objectMode: false,
    });
  }

  /** What is written in one tick leaves together in any case: this only counts. */
  cork(): void {
    this._writableState.corked++;
  }

  uncork(): void {
    const { _writableState: state } = this;
    if (state.corked > 0 && --state.corked === 0) this._connection.carrier.uncorked();
  }

  write(
    data: string | Uint8Array,
    encoding?: BufferEncoding | WriteCallback | null,
    callback?: WriteCallback | null,
  ): boolean {
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (!this.writable) {
      const error = this.destroyed ? writeDestroyedError() : writeAfterEndError();
      process.nextTick(callback ?? nothing, error);
      return false;
    }
    return this._connection.write(data, encoding ?? 'utf8', callback ?? undefined);
  }

  end(
    data?: string | Uint8Array | WriteCallback,
    encoding?: BufferEncoding | WriteCallback,
    callback?: WriteCallback,
  ): this {
    const last = [data, encoding, callback].find((argument) => typeof argument === 'function');
    if (data !== undefined && typeof data !== 'function') {
      this.write(data, typeof encoding === 'function' ? undefined : encoding, last);
    } else if (last !== undefined) {
      this.write('', 'latin1', last);
    }
    this._connection.finishWriting();
    return this;
  }

  destroySoon(): void {
    this._connection.finishWriting();
  }

  destroy(error?: Error): this {
    this._connection.destroy(error);
    return this;
  }

  pause(): this {
    this._connection.pause();
    return this;
  }

  resume(): this {
    this._connection.resume();
    return this;
  }

  /** 'timeout' comes when nothing has been read or written for so many milliseconds; 0 turns it off. */
  setTimeout(milliseconds: number, callback?: () => void): this {
    if (callback !== undefined) {
      if (milliseconds === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    if (milliseconds === 0 && this.idle === undefined) return this;
    this.idle ??= new IdleTimer(
      () => {
        this._connection.onIdle();
      },
      () => Number.POSITIVE_INFINITY,
    );
    this.idle.set(milliseconds);
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

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
    this.readable = this.writable = false;
    this.destroyed = true;
    this.idle?.stop();
    if (this.state !== undefined) this.state.destroyed = this.state.closed = true;
  }
}
