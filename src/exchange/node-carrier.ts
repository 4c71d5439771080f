/** One of node:net's sockets under an exchange, or any other stream that a program has for a connection. */
import * as net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { nodeConnectionStats } from '../stats/events.js';
import type { ConnectionStats } from '../stats/server-stats.js';
import { writeWholeBytes, writeWholeText, type Carrier, type CarrierOwner, type Piece } from './carrier.js';

/** The owner of a closed carrier. */
const NOBODY: CarrierOwner = {
  onBytes: nothing,
  onFlushed: nothing,
  onPeerEnd: nothing,
  onFailure: nothing,
};

function nothing(): void {
  // The carrier has closed.
}

/** Whether `destroy()` alone sends its peer an end, which is the kernel's FIN. TLS has an end of its own. */
function endsByDestroy(stream: net.Socket): boolean {
  return stream instanceof net.Socket && !(stream as Partial<TLSSocket>).encrypted;
}

export class NodeCarrier implements Carrier {
  readonly transport = 'js';
  declare owner: CarrierOwner;
  private readonly stream: net.Socket;
  private flushAsked = false;
  private waiting = 0;
  private open = true;
  /** Its end is to be sent before it is destroyed. */
  private finishing = false;

  constructor(stream: net.Socket) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => {
      if (this.open) this.owner.onBytes(chunk, 0, chunk.length);
    });
    stream.on('end', () => {
      if (this.open) this.owner.onPeerEnd();
    });
    stream.on('error', (error) => {
      if (this.open) this.owner.onFailure(error);
    });
    stream.on('close', this.onClosed);
    // A program may hand over one that has had its last event.
    if (stream.closed) process.nextTick(this.onClosed);
  }

  get blocked(): boolean {
    // Corked writes have not been tried yet.
    return this.stream.writableLength > 0 && this.stream.writableCorked === 0;
  }

  get queued(): number {
    return this.stream.writableLength;
  }

  write(data: string | Uint8Array, encoding: BufferEncoding): number {
    if (!this.open || this.stream.destroyed || data.length === 0) return 0;
    // The writes of one tick leave together, as they do natively.
    if (this.stream.writableCorked === 0) {
      this.stream.cork();
      process.nextTick(uncork, this.stream);
    }
    this.waiting++;
    this.stream.write(data, encoding, this.onWritten);
    return typeof data === 'string' ? Buffer.byteLength(data, encoding) : data.length;
  }

  /** The bytes of a head that is kept stay here: a stream of the program's may change what it is given. */
  writeWhole(head: string, body: string | Uint8Array, tail: string): number {
    return typeof body === 'string' ? writeWholeText(this, head, body, tail) : writeWholeBytes(this, head, body, tail);
  }

  /** Those of a tick do anyway. */
  writeAll(pieces: readonly Piece[]): number {
    return pieces.reduce((length, { data, encoding }) => length + this.write(data, encoding), 0);
  }

  private readonly onClosed = (): void => {
    if (this.open) this.owner.onFailure(undefined);
  };

  private readonly onWritten = (error?: Error | null): void => {
    // The stream's 'error' will follow.
    if (error) return;
    this.waiting--;
    if (this.waiting === 0 && this.flushAsked) this.tellFlushed();
  };

  notifyFlushed(): void {
    this.flushAsked = true;
    if (this.waiting === 0) process.nextTick(tellFlushed, this);
  }

  tellFlushed(): void {
    if (!this.flushAsked || !this.open || this.waiting > 0 || this.stream.destroyed) return;
    this.flushAsked = false;
    this.owner.onFlushed();
  }

  flush(): void {
    while (this.stream.writableCorked > 0) this.stream.uncork();
  }

  hasLeft(): boolean {
    if (!this.flushAsked || !this.open || this.stream.destroyed) return false;
    this.flush();
    return this.stream.writableLength === 0;
  }

  uncorked(): void {
    this.flush();
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    if (this.open) this.stream.resume();
  }

  end(): void {
    this.flush();
    this.stream.end();
  }

  finish(): void {
    this.finishing = !endsByDestroy(this.stream);
  }

  destroy(): void {
    if (!this.open) return;
    this.open = false;
    // The server's counters keep closed sockets for a while; they must not keep the request alive as well.
    this.owner = NOBODY;
    this.flush();
    const { stream } = this;
    if (this.finishing && !stream.destroyed) stream.end(() => stream.destroy());
    else stream.destroy();
  }

  get localAddress(): string | undefined {
    return this.stream.localAddress;
  }

  stats(): ConnectionStats | undefined {
    return nodeConnectionStats(this.stream);
  }
}

function uncork(stream: net.Socket): void {
  stream.uncork();
}

function tellFlushed(carrier: NodeCarrier): void {
  carrier.tellFlushed();
}
