/** A file that takes what a socket receives: see native/file_sink.h. */
import type { Engine } from '../engine/engine.js';
import type { Sink } from './sink.js';

/** The connection whose data goes to a file. */
export interface FileSinkOwner {
  readonly id: number;
  readonly engine: Engine;
  sink: Sink | undefined;
  /** It has none any more; so many bytes have gone there. */
  noteTaken(bytes: number): void;
}

export interface FileOutcome {
  /**
   * 0: everything requested, or everything until the socket's end, is in the file. Otherwise a negative errno of the
   * file.
   */
  status: number;
  /** Bytes taken from the socket, and those of them that are in the file. */
  taken: number;
  arrived: number;
}

export class FileSink implements Sink {
  private readonly connection: FileSinkOwner;
  private done: ((outcome: FileOutcome) => void) | undefined;
  /** It was stopped during a write, and ends when that does. */
  private settle: ((arrived: number, status: number) => void) | undefined;

  private constructor(connection: FileSinkOwner, done: (outcome: FileOutcome) => void) {
    this.connection = connection;
    this.done = done;
  }

  /**
   * Returns the sink, or a negative errno. `offset` -1: the file's own position; `limit` -1: until the socket's end.
   * `done` is called once.
   */
  static start(
    connection: FileSinkOwner,
    file: { fd: number; offset: number; limit: number },
    done: (outcome: FileOutcome) => void,
  ): FileSink | number {
    const sink = new FileSink(connection, done);
    const { fd, offset, limit } = file;
    const status = connection.engine.native.receiveFile(connection.id, fd, offset, limit, (written, failure) => {
      sink.settle?.(written, failure);
    });
    if (status < 0) return status;
    connection.sink = sink;
    return sink;
  }

  private get totals(): readonly [taken: number, idle: number, arrived: number, isWriting: boolean] {
    const totals = this.done === undefined ? -1 : this.connection.engine.native.sinkTotals(this.connection.id);
    return Array.isArray(totals) ? totals : [0, -1, 0, false];
  }

  get underWay(): number {
    return this.totals[0];
  }

  get idle(): number {
    const [, idle] = this.totals;
    return idle < 0 ? Infinity : idle;
  }

  /** Takes nothing more; `done` is called with ECANCELED when the bytes already taken are in the file. */
  finish(): void {
    if (this.done !== undefined) this.connection.engine.native.finishSink(this.connection.id);
  }

  stop(): void {
    this.end(0);
  }

  onTaken(status: number): void {
    this.end(status);
  }

  private end(status: number): void {
    const { connection, done } = this;
    if (done === undefined) return;
    const [taken, , arrived, isWriting] = this.totals;
    this.done = undefined;
    connection.sink = undefined;
    connection.engine.native.stopSink(connection.id);
    connection.noteTaken(taken);
    if (isWriting) {
      this.settle = (late, failure) => {
        done({ status: status < 0 ? status : failure, taken, arrived: late });
      };
    } else {
      done({ status, taken, arrived });
    }
  }
}
