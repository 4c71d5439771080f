/**
 * Native sockets as the standard streams of a child process.
 *
 * The child gets the connection's descriptor, as in node. But if bytes have already been read here and the program has
 * not received them, the child reads from one end of a socket pair instead, which is fed first with these bytes and
 * then with the connection's. Standard output and standard error are always the connection itself.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Engine } from '../engine/engine.js';
import { errnoError } from '../errors/index.js';
import { adoptDescriptor } from './adopt.js';
import { makeNative } from './factory.js';
import { NativeSocket } from './socket.js';
import type { SocketConnection } from './socket-connection.js';

/** Streams from which the child does not read. */
const OUTPUTS: readonly number[] = [1, 2];

/** A second descriptor of the connection, and a socket pair. */
function openDescriptors(engine: Engine, fd: number): number[] {
  const own = engine.native.duplicate(fd);
  if (own < 0) throw errnoError(own, 'dup');
  const pair = engine.native.openPair();
  if (typeof pair !== 'number') return [own, ...pair];
  closeSync(own);
  throw errnoError(pair, 'socketpair');
}

/** A stream over a descriptor, which it closes; it reads only on request. */
function streamOver(engine: Engine, fd: number): NativeSocket {
  const stream = makeNative(engine, { allowHalfOpen: true });
  const status = adoptDescriptor(stream, { fd, readable: false });
  if (status < 0) throw errnoError(status, 'socket');
  return stream;
}

/** A stream over each of them, or none: on failure all are closed. */
function streamsOver(engine: Engine, descriptors: readonly number[]): NativeSocket[] {
  const streams: NativeSocket[] = [];
  try {
    for (const fd of descriptors) streams.push(streamOver(engine, fd));
    return streams;
  } catch (error) {
    for (const fd of descriptors.slice(streams.length)) closeSync(fd);
    for (const stream of streams) stream.destroy();
    throw error;
  }
}

function hasHungUp({ _connection: connection }: NativeSocket): boolean {
  return connection === undefined || connection.engine.native.hasHungUp(connection.id);
}

/**
 * Feeds a child's end of a pair with the bytes already read from a connection and those that follow, and sends the
 * connection what the child writes to its end. It has its own descriptor of the connection, so that closing the
 * program's socket does not end it, and lives until the child has closed its end or the connection is gone.
 */
class Feed {
  private readonly connection: SocketConnection;
  private readonly read: readonly Buffer[];
  private readonly duplicate: NativeSocket;
  private readonly pipe: NativeSocket;
  /** Only ever closed: in a worker, fs must not close a descriptor that it has not opened. */
  private readonly childs: NativeSocket;

  /**
   * All are created before the child is started: adopting a descriptor makes it non-blocking, and a child makes it
   * blocking.
   */
  constructor(connection: SocketConnection, fd: number, read: readonly Buffer[]) {
    this.connection = connection;
    this.read = read;
    const { engine } = connection;
    [this.duplicate, this.pipe, this.childs] = streamsOver(engine, openDescriptors(engine, fd)) as [
      NativeSocket,
      NativeSocket,
      NativeSocket,
    ];
  }

  get childsEnd(): number {
    const { engine, id } = this.childs._connection as SocketConnection;
    return engine.native.fileDescriptor(id);
  }

  start(child: ChildProcess): void {
    this.childs.destroy();
    const { duplicate, pipe } = this;
    for (const stream of [duplicate, pipe]) {
      stream.on('error', this.close);
      stream.on('close', this.close);
    }
    for (const chunk of this.read) pipe.write(chunk);
    duplicate.pipe(pipe);
    pipe.pipe(duplicate, { end: false });
    pipe.on('end', this.onEnd);
    // A child that has already ended its side causes no event when it closes.
    child.once('exit', this.onExit);
  }

  /** There is no child: the socket gets back what has been read. */
  cancel(): void {
    this.childs.destroy();
    this.close();
    this.connection.putBack(this.read);
  }

  /** A child that closes its descriptor of a connection does not end the connection, as long as others have it too. */
  private readonly onEnd = (): void => {
    if (hasHungUp(this.pipe)) this.closeBehindWrites();
    else this.duplicate.end();
  };

  private readonly onExit = (): void => {
    if (this.pipe.readableEnded && hasHungUp(this.pipe)) this.closeBehindWrites();
  };

  private closeBehindWrites(): void {
    if (this.duplicate.writable) this.duplicate.write('', this.close);
    else this.close();
  }

  private readonly close = (): void => {
    this.duplicate.destroy();
    this.pipe.destroy();
  };
}

/** The native sockets among the standard streams of one child. */
export class ChildStreams {
  private readonly feeds = new Map<NativeSocket, Feed>();

  /** The descriptor for this index of the child's standard streams. The stream is paused, as one of node's is. */
  descriptorOf(stream: NativeSocket, connection: SocketConnection, index: number): number {
    stream.pause();
    const fd = connection.share();
    if (fd < 0) throw errnoError(fd, 'dup');
    if (OUTPUTS.includes(index)) return fd;
    let feed = this.feeds.get(stream);
    if (feed === undefined) {
      const read = connection.takeUnread();
      if (read.length === 0) return fd;
      try {
        feed = new Feed(connection, fd, read);
      } catch (error) {
        connection.putBack(read);
        throw error;
      }
      this.feeds.set(stream, feed);
    }
    return feed.childsEnd;
  }

  start(child: ChildProcess): void {
    for (const feed of this.feeds.values()) feed.start(child);
  }

  cancel(): void {
    for (const feed of this.feeds.values()) feed.cancel();
  }
}
