/**
 * The writing half of a native `Socket`: where a write goes, and where it waits.
 *
 *   write() ─┬─ connected, nothing waits: queueWrite ──▶ arena ──▶ kernel
 *            │                                            │ takes only a part
 *            ├─ more than 8 KiB: sendmsg at once  ─────────┤
 *            │                                            ▼
 *            ├─ corked ──▶ _held ──uncork()──▶ as above   native queue ──the connection drains──▶ callback
 *            ├─ before 'connect', behind a file that is being opened ──▶ the stream's buffer, _earlyWrite ──▶ as above
 *            └─ behind a write that waits ──▶ the stream's buffer ──▶ as above
 *
 *   _held        writes of a corked socket that the stream has not been given
 *   _earlyWrite  the stream's current write, which has no connection yet, or waits for a file
 *   _sentAhead   while write() runs: the connection already has the bytes, and the stream is still to count them
 *
 * Callbacks wait in the connection (writing-connection.ts): those of direct writes as `waiters`, that of the stream's current
 * write as `blockedWrite`.
 */
import { endedByPeerError, socketClosedError } from '../errors/index.js';
import { beginSendFile, type FileSource, type SendFileOptions } from '../files/options.js';
import { withReferences } from '../files/page.js';
import type { FileChunk } from '../files/file-write.js';
import { COPY_LIMIT } from '../engine/outbound.js';
import { type WriteCallback, writableState } from '../node/stream-state.js';
import { UNCONNECTED_ENDS_AT_ONCE } from '../runtime/version.js';
import {
  holdWrite,
  queueWrite,
  sendHeld,
  sendLargeWrite,
  takeHeld,
  takesDirectWrites,
  toBytes,
} from './direct-writes.js';
import { dispatchFiles, isFile, sendFileNatively } from './file-chunk.js';
import { SocketBase } from './socket-base.js';
import type { SocketSettings, StreamOptions } from './socket-options.js';

export abstract class WritingSocket extends SocketBase {
  /** destroySoon() has been called. */
  protected _closingSoon = false;
  private _plainStrings = true;
  /** 'end' has been emitted and ends this side too. */
  _endTold = false;

  constructor(settings: SocketSettings, options: StreamOptions) {
    super(settings, options);
    const { defaultEncoding } = options as { defaultEncoding?: unknown };
    if (defaultEncoding !== undefined) this._plainStrings = defaultEncoding === 'utf8';
  }

  /**
   * A write on a connected socket with nothing queued goes to the connection without the stream's bookkeeping; all
   * others, including invalid arguments, go through the stream.
   */
  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback | null, callback?: WriteCallback): boolean {
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (this._isPlain(chunk, encoding) && this._takesDirectWrites(callback)) {
      const plain = encoding ?? 'utf8';
      if (typeof callback !== 'function') callback = undefined;
      const { corked, pendingcb } = writableState(this);
      if (corked === 0) {
        if (chunk.length <= COPY_LIMIT) {
          queueWrite(this, chunk, plain, callback);
          return true;
        }
        if (sendLargeWrite(this, { chunk, encoding: plain, callback })) return true;
      } else if (pendingcb === 0) {
        return holdWrite(this, { chunk, encoding: plain, callback });
      }
      // While the stream has a pending tick, it would mistake writes held here for drained.
    }
    if (this._held !== undefined) this._giveHeldToStream();
    if (this._endTold && this.writableEnded) return this._writeAfterEnds(callback);
    this._settleBeforeFailure();
    // The stream reports what is wrong with it.
    return super.write(chunk as string, encoding as BufferEncoding, callback);
  }

  /** Whether this chunk, in this encoding or the default one, can go to the connection unchanged. */
  private _isPlain(chunk: unknown, encoding: unknown): chunk is string | Uint8Array {
    if (typeof chunk === 'string') {
      if (encoding === undefined || encoding === null) return this._plainStrings;
    } else if (!(chunk instanceof Uint8Array)) {
      return false;
    } else if (encoding === undefined || encoding === null) {
      return true;
    }
    return encoding === 'utf8' || encoding === 'latin1';
  }

  /** @internal See `takesDirectWrites`. */
  _takesDirectWrites(callback?: WriteCallback): boolean {
    return takesDirectWrites(this, callback);
  }

  protected _giveHeldToStream(): void {
    for (const { chunk, encoding, callback } of takeHeld(this)) super.write(chunk, encoding, callback);
  }

  override uncork(): void {
    super.uncork();
    if (this._held === undefined || writableState(this).corked > 0) return;
    const rest = sendHeld(this);
    if (rest.length === 0) return;
    // Corked, so that the stream hands all of them over in one write.
    super.cork();
    for (const { chunk, encoding, callback } of rest) super.write(chunk, encoding, callback);
    super.uncork();
  }

  override setDefaultEncoding(encoding: BufferEncoding): this {
    super.setDefaultEncoding(encoding);
    this._plainStrings = encoding.toLowerCase() === 'utf8';
    return this;
  }

  /** Later writes fail on the next tick: after the outcomes of the writes before them. */
  private _settleBeforeFailure(): void {
    if (this.writableEnded) this._connection?.settleSoon();
  }

  private _writeAfterEnds(callback: WriteCallback | undefined): boolean {
    const error = endedByPeerError();
    this._settleBeforeFailure();
    if (typeof callback === 'function') process.nextTick(callback, error);
    this.destroy(error);
    return false;
  }

  override end(chunk?: unknown, encoding?: BufferEncoding | (() => void), callback?: () => void): this {
    if (typeof chunk === 'function') {
      callback = chunk as () => void;
      chunk = encoding = undefined;
    } else if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (this._isPlain(chunk, encoding) && this._takesDirectWrites()) {
      this.write(chunk, encoding);
      chunk = undefined;
    }
    if (this._held !== undefined) this._giveHeldToStream();
    this._settleBeforeFailure();
    super.end(chunk as string, encoding as BufferEncoding, callback);
    return this;
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback): void {
    this._dispatch([toBytes(chunk, encoding)], callback);
  }

  override _writev(chunks: { chunk: string | Uint8Array; encoding: BufferEncoding }[], callback: WriteCallback): void {
    const parts = chunks.map(({ chunk, encoding }) => toBytes(chunk, encoding));
    this._dispatch(parts, callback);
  }

  private _dispatch(parts: Uint8Array[], callback: WriteCallback): void {
    if (this.connecting) {
      // A listener, so that it is sent in order with the program's own listeners.
      this._earlyWrite = { parts, callback, awaitsFile: false };
      this.once('connect', this._writeEarly);
      return;
    }
    const connection = this._connection;
    if (connection === undefined || !connection.open) {
      callback(socketClosedError());
      return;
    }
    this._idle?.touch();
    const ahead = this._sentAhead;
    if (ahead !== undefined) {
      this._sentAhead = undefined;
      connection.noteSent(ahead, parts, callback);
      return;
    }
    if (parts.some(isFile)) {
      dispatchFiles(this, connection, parts, callback);
      return;
    }
    for (const part of parts) connection.bytesWritten += part.length;
    const references = withReferences(parts);
    if (references === undefined) connection.send(parts, callback);
    else connection.sendParts(references, callback);
  }

  /** See FileSender. */
  sendFile(file: FileSource, options?: SendFileOptions): Promise<number> {
    return beginSendFile(file, options, (call, done) => {
      sendFileNatively(this, call, done);
    });
  }

  /** @internal Writes a chunk that must go through the stream. */
  _writeChunk(chunk: FileChunk, callback: WriteCallback): void {
    if (this._held !== undefined) this._giveHeldToStream();
    if (this._endTold && this.writableEnded) this._writeAfterEnds(callback);
    else super.write(chunk as unknown as Uint8Array, callback);
  }

  /** @internal Continues a write that waited for a file. */
  _writeOpened(): void {
    if (!this.connecting) this._writeEarly();
  }

  private _writeEarly(): void {
    const write = this._earlyWrite;
    this._earlyWrite = undefined;
    if (write !== undefined) this._dispatch(write.parts, write.callback);
  }

  override _final(callback: WriteCallback): void {
    const connection = this._connection;
    if (connection === undefined && !this.connecting && UNCONNECTED_ENDS_AT_ONCE) {
      callback();
      return;
    }
    if (this.connecting || connection === undefined) {
      this.once('connect', () => {
        this._final(callback);
      });
      return;
    }
    // Such a stream destroys itself right after this, with no user code in between.
    const closes = this._closingSoon && this.listenerCount('finish') === 0;
    if (!closes || !connection.finishByClose(callback)) connection.finish(callback);
  }
}
