/** A file that takes what a socket receives: see native/file_intake.h. */
import type { Outlet } from './outlet.js';
import type { SocketWire } from './socket-wire.js';

export interface FileOutcome {
  /** 0: all that was asked for, or all until the socket's end, is in the file. Else a negative errno of the file's. */
  status: number;
  /** Bytes taken from the socket, and those of them that are in the file. */
  taken: number;
  arrived: number;
}

export class FileOutlet implements Outlet {
  private readonly wire: SocketWire;
  private done: ((outcome: FileOutcome) => void) | undefined;
  /** It has been stopped during a write, and is over when that is. */
  private settle: ((arrived: number, status: number) => void) | undefined;

  private constructor(wire: SocketWire, done: (outcome: FileOutcome) => void) {
    this.wire = wire;
    this.done = done;
  }

  /**
   * The outlet, or a negative errno. `offset` -1: the file's own position; `limit` -1: until the socket's end. `done` is
   * called once.
   */
  static start(
    wire: SocketWire,
    file: { fd: number; offset: number; limit: number },
    done: (outcome: FileOutcome) => void,
  ): FileOutlet | number {
    const outlet = new FileOutlet(wire, done);
    const { fd, offset, limit } = file;
    const status = wire.engine.native.receiveFile(wire.id, fd, offset, limit, (written, failure) => {
      outlet.settle?.(written, failure);
    });
    if (status < 0) return status;
    wire.outlet = outlet;
    return outlet;
  }

  private get totals(): readonly [taken: number, idle: number, arrived: number, isWriting: boolean] {
    const totals = this.done === undefined ? -1 : this.wire.engine.native.intakeTotals(this.wire.id);
    return Array.isArray(totals) ? totals : [0, -1, 0, false];
  }

  get underWay(): number {
    return this.totals[0];
  }

  get idle(): number {
    const [, idle] = this.totals;
    return idle < 0 ? Infinity : idle;
  }

  /** Takes nothing more; `done` is called, with ECANCELED, when what has been taken is in the file. */
  finish(): void {
    if (this.done !== undefined) this.wire.engine.native.finishIntake(this.wire.id);
  }

  stop(): void {
    this.end(0);
  }

  onTaken(status: number): void {
    this.end(status);
  }

  private end(status: number): void {
    const { wire, done } = this;
    if (done === undefined) return;
    const [taken, , arrived, isWriting] = this.totals;
    this.done = undefined;
    wire.outlet = undefined;
    wire.engine.native.stopIntake(wire.id);
    wire.bytesRead += taken;
    if (isWriting) {
      this.settle = (late, failure) => {
        done({ status: status < 0 ? status : failure, taken, arrived: late });
      };
    } else {
      done({ status, taken, arrived });
    }
  }
}
