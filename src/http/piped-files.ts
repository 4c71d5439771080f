/**
 * `createReadStream(path).pipe(response)`, as file servers do it, for responses on connections of nearwire's.
 *
 * Node reads each piece on a thread of its pool, into new memory that V8 has to collect. Here what the page cache has
 * is read at once, into memory that is used again when the kernel has taken the piece; docs/performance.md has the
 * gain. The stream stays node's: its events, order, pace, counters and errors. Node reads
 *
 * - what is not in the page cache, and what is no regular file;
 * - wherever more than the pipe and node's own `response.write()` could see a piece: after another listener of 'data',
 *   `unpipe()`, `pause()`, a replaced method, on a response that waits for its turn.
 *
 * That nothing else sees a piece is looked at right before it is pushed; nothing of the program runs from then on
 * until `response.write()`.
 */
import type * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { Readable, type Writable } from 'node:stream';
import { addonStatus, type NativeAddon } from '../binding/addon.js';
import { isWrittenByNode } from '../exchange/response.js';
import { allocateOwn, copyOf } from '../memory/own-memory.js';
import { isNodesOwn } from '../node/own-method.js';
import { readableState } from '../node/stream-state.js';
import { nodeHttp } from '../runtime/http.js';
import { isStandIn } from './stand-in.js';

/** As much as createReadStream reads by default. Streams that ask for more at once are left to node. */
const BLOCK_BYTES = 64 * 1024;
/** As many as have a piece under way at once in a busy server; more would only occupy memory. */
const MOST_FREE_BLOCKS = 16;
/** Pieces read in a row before other events get their turn: no fewer bytes than a socket's usual buffer takes. */
const PIECES_IN_A_ROW = 4;

const { EAGAIN, ENOSYS } = constants.errno;

type ReadMethod = (this: FileStream, size: number) => void;

/** Node's own names in each Node from 20 on. */
interface FileStream extends fs.ReadStream {
  fd: number | null;
  pos: number | undefined;
  start: number | undefined;
  end: number;
  bytesRead: number;
  _read: ReadMethod;
}

type Response = InstanceType<typeof nodeHttp.ServerResponse>;

/** Those through which a piece goes on its way to the socket. */
interface WritingMethods {
  readonly write: unknown;
  readonly _send: unknown;
  readonly _writeRaw: unknown;
}

const { write, _send: send, _writeRaw: writeRaw } = nodeHttp.ServerResponse.prototype as unknown as WritingMethods;
const { push, emit } = Readable.prototype;

/** Blocks that no piece is in. */
const free: Buffer[] = [];

/** Where a stream keeps the module that it reads with. */
let kFs: symbol | undefined;

/** The module object: an ES namespace is a copy, which what a program replaces does not reach. */
const nodesFs = createRequire(import.meta.url)('node:fs') as typeof fs;
const { read: fsRead } = nodesFs;

function readsByNode(stream: FileStream): boolean {
  kFs ??= Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'kFs');
  return kFs !== undefined && Reflect.get(stream, kFs) === nodesFs && nodesFs.read === fsRead;
}

/** The reads of a stream, for as long as it is piped to this response alone. */
class PipedFile {
  private readonly addon: NativeAddon;
  private readonly stream: FileStream;
  private readonly response: Response;
  private readonly nodesRead: ReadMethod;
  /** The pipe's listener of 'data'. */
  private readonly feed: unknown;
  /** It holds the piece that was read last, or none. */
  private block: Buffer | undefined;
  private pieces = 0;
  private isIdentified = false;

  constructor(addon: NativeAddon, stream: FileStream, response: Response, feed: unknown) {
    this.addon = addon;
    this.stream = stream;
    this.response = response;
    this.nodesRead = stream._read;
    this.feed = feed;
    Object.defineProperty(stream, '_read', { value: this.read, configurable: true, writable: true });
  }

  /** The stream's `_read()`. A piece that it is given within the call it would keep for a while. */
  private readonly read = (size: number): void => {
    if (++this.pieces % PIECES_IN_A_ROW === 0) setImmediate(step, this, size);
    else process.nextTick(step, this, size);
  };

  step(size: number): void {
    const { stream } = this;
    // There is nothing under way that its descriptor would have to stay open for.
    if (stream.destroyed) return;
    const wanted = Math.min(size, left(stream));
    // First: what a program has put in the place of fstatSync() is called.
    this.isIdentified ||= this.isReallyOpen;
    if (size > BLOCK_BYTES || !this.isIdentified || !this.isPipedAlone) this.leave(size);
    else if (wanted <= 0) this.end();
    else this.readPiece(size, wanted);
  }

  /** Whether the pipe is the only one that takes pieces, and node's own code the only one that it gives them to. */
  private get isPipedAlone(): boolean {
    const { stream, response, feed } = this;
    const listeners = stream.listeners('data');
    const { _send: ownSend, _writeRaw: ownWriteRaw } = response as unknown as WritingMethods;
    const { socket } = response;
    return (
      listeners.length === 1 &&
      listeners[0] === feed &&
      stream.readableEncoding === null &&
      readsByNode(stream) &&
      stream.push === push &&
      stream.emit === emit &&
      isWrittenByNode(response) &&
      ownSend === send &&
      ownWriteRaw === writeRaw &&
      isStandIn(socket) &&
      !Object.hasOwn(socket, 'write')
    );
  }

  /** Whether a piece that is pushed now is written within the call. Otherwise the stream keeps it, until it is read. */
  private get passesOn(): boolean {
    const { flowing, length } = readableState(this.stream);
    return flowing === true && length === 0;
  }

  private readPiece(size: number, wanted: number): void {
    const { stream, addon, passesOn } = this;
    const memory = passesOn ? this.takeBlock().subarray(0, wanted) : allocateOwn(wanted);
    const got = addon.readResident(stream.fd as number, memory, stream.pos ?? -1);
    if (got === -EAGAIN) {
      this.nodesRead.call(stream, size);
    } else if (got < 0) {
      // Node tells the error. Where the system cannot tell what is in memory, it cannot for any file.
      isUseful &&= got !== -ENOSYS;
      this.leave(size);
    } else if (got === 0) {
      this.end();
    } else {
      if (stream.pos !== undefined) stream.pos += got;
      stream.bytesRead += got;
      if (passesOn) this.pass(memory.subarray(0, got));
      else stream.push(got === wanted ? memory : copyOf(memory, 0, got));
    }
  }

  private pass(piece: Buffer): void {
    this.stream.push(piece);
    if (this.stream.readableLength === 0) return;
    // In no Node that is known here: the stream has kept the piece.
    this.block?.fill(0, piece.length);
    this.restore();
  }

  /**
   * Whether the descriptor is the kernel's: a program may have replaced functions of node:fs, which then have
   * descriptors of their own.
   */
  private get isReallyOpen(): boolean {
    const { fd } = this.stream;
    if (typeof fd !== 'number') return false;
    const identity = this.addon.identifyFile(fd);
    if (typeof identity === 'number') return false;
    try {
      const { dev, ino } = nodesFs.fstatSync(fd);
      return dev === identity[0] && ino === identity[1];
    } catch {
      return false;
    }
  }

  /** The memory of the last piece, if the kernel has taken all of that; its connection keeps it otherwise. */
  private takeBlock(): Buffer {
    if (!this.hasSentAll) this.block = undefined;
    return (this.block ??= free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES));
  }

  private get hasSentAll(): boolean {
    const { socket, writableLength } = this.response;
    return isStandIn(socket) && writableLength === socket.writableLength && socket._owner.hasSentAll;
  }

  private end(): void {
    const { block } = this;
    if (block !== undefined && this.hasSentAll && free.length < MOST_FREE_BLOCKS) free.push(block);
    this.restore();
    this.stream.push(null);
  }

  /** Node reads this piece and all that follow. */
  private leave(size: number): void {
    this.restore();
    this.nodesRead.call(this.stream, size);
  }

  private restore(): void {
    this.block = undefined;
    if (this.stream._read === this.read) Reflect.deleteProperty(this.stream, '_read');
  }
}

function step(file: PipedFile, size: number): void {
  file.step(size);
}

/** Bytes until the `end` that the program has given. */
function left({ pos, end, bytesRead }: FileStream): number {
  return end - (pos ?? bytesRead) + 1;
}

/** Whether this system tells what is in memory, and this Node has the methods that are known here. */
let isUseful =
  isNodesOwn(write, 'write_(this') &&
  isNodesOwn(send, 'shameful hack') &&
  isNodesOwn(writeRaw, 'kHighWaterMark') &&
  isNodesOwn(push, 'readableAddChunk') &&
  isNodesOwn(emit, 'kErrorMonitor') &&
  isNodesOwn(fsRead, 'FSReqCallback');

function isResponse(destination: Writable | Response): destination is Response {
  return destination instanceof nodeHttp.ServerResponse;
}

/** Reads a stream that has just been piped to a destination, if all that is said above holds. */
function follow(addon: NativeAddon, nodesRead: ReadMethod, stream: FileStream, destination: Writable): void {
  if (!isUseful || stream.destroyed || stream._read !== nodesRead || Object.hasOwn(stream, '_read')) return;
  if (!isResponse(destination) || !isStandIn(destination.socket)) return;
  if (stream.readableObjectMode || !readsByNode(stream)) return;
  const [feed, ...others] = stream.listeners('data');
  if (feed !== undefined && others.length === 0) new PipedFile(addon, stream, destination, feed);
}

let isFollowing = false;

/**
 * Makes `createReadStream(path).pipe(response)` take half of the CPU time, on native connections of `http.Server`s of
 * this thread: what is in the page cache is read without the thread pool, into memory that is used again. It replaces
 * `fs.ReadStream.prototype.pipe`. `nearwire/register` has called it; further calls do nothing. Without the addon, on
 * other systems than Linux, and on a Node whose streams are not known here, it does nothing either.
 */
export function registerFileStreams(): void {
  if (isFollowing) return;
  isFollowing = true;
  const { addon } = addonStatus();
  if (addon === undefined) return;
  const prototype = nodesFs.ReadStream.prototype as FileStream;
  const { _read: nodesRead } = prototype;
  if (!isUseful || !isNodesOwn(nodesRead, 'kIsPerformingIO') || Object.hasOwn(prototype, 'pipe')) return;
  const pipe = {
    pipe(this: FileStream, destination: Writable, options?: object): Writable {
      Reflect.apply(Readable.prototype.pipe, this, [destination, options]);
      follow(addon, nodesRead, this, destination);
      return destination;
    },
  }.pipe;
  Object.defineProperty(prototype, 'pipe', { value: pipe, configurable: true, writable: true });
}
