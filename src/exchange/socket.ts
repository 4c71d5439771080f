/**
 * What stands as `req.socket` and `res.socket`: as much of a net.Socket as node's ServerResponse and the frameworks use.
 * It is no stream to read from, as the connection's bytes are its protocol's; what is written goes to the peer as it is.
 */
import { EventEmitter } from 'node:events';
import { argTypeError, writeAfterEndError, writeDestroyedError } from '../errors/index.js';
import { IdleTimer } from '../net/idle-timer.js';
import type { TransportName } from '../config/options.js';
import type { WriteCallback } from '../node/stream-state.js';
import type { ConnectionContract, Outgoing, SocketContract } from './contracts.js';

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

/** As node's streams: bytes in any view. */
function bytesOf(chunk: unknown): Buffer {
  if (!ArrayBuffer.isView(chunk)) {
    throw argTypeError('chunk', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk);
  }
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

export class ExchangeSocket extends EventEmitter implements SocketContract {
  readable = true;
  writable = true;
  destroyed = false;
  /** As node's servers have it: reading rests, whatever the request asks for. */
  readonly _paused = false;
  _hadError = false;
  _httpMessage: Outgoing | null = null;
  /** @internal */
  readonly _connection: ConnectionContract;
  private state: StandInState | undefined;
  private idle: IdleTimer | undefined;

  constructor(connection: ConnectionContract) {
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

  /** On node's sockets of plain TCP it is a property like any other: programs that know better than the front server set it. */
  set encrypted(value: boolean) {
    Object.defineProperty(this, 'encrypted', { value, enumerable: true, configurable: true, writable: true });
  }

  get connecting(): boolean {
    return false;
  }

  get pending(): boolean {
    return false;
  }

  get readyState(): 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
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
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) data = bytesOf(data);
    if (!this.writable) {
      const error = this.destroyed ? writeDestroyedError() : writeAfterEndError();
      process.nextTick(callback ?? nothing, error);
      return false;
    }
    return this._connection.write(data, encoding ?? 'utf8', callback ?? undefined);
  }

  end(
    data?: string | Uint8Array | WriteCallback | null,
    encoding?: BufferEncoding | WriteCallback | null,
    callback?: WriteCallback,
  ): this {
    const last = [data, encoding, callback].find((argument) => typeof argument === 'function');
    if (data !== undefined && data !== null && typeof data !== 'function') {
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
      () => Number.NEGATIVE_INFINITY,
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
