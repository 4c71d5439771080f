/** Counts the connections that are node's own: what their sockets tell, without a listener on any of them. */
import type * as net from 'node:net';

/** Dead ones are looked for when so many have come, and whenever as many again as live. */
const LEAST_SWEEP = 64;

interface Followed {
  socket: net.Socket;
  /** Bytes that have been counted elsewhere. */
  readBefore: number;
  writtenBefore: number;
}

export class NodeConnections {
  accepted = 0;
  private bytesRead = 0;
  private bytesWritten = 0;
  private followed: Followed[] = [];
  private sweepAt = LEAST_SWEEP;

  readonly note = (socket: net.Socket): void => {
    this.accepted++;
    this.follow(socket, 0, 0);
  };

  /** From here on; what it has moved so far is known. */
  follow(socket: net.Socket, readBefore: number, writtenBefore: number): void {
    if (this.followed.length >= this.sweepAt) this.sweep();
    this.followed.push({ socket, readBefore, writtenBefore });
  }

  /** Those that are open, as far as their sockets know. */
  get living(): net.Socket[] {
    this.sweep();
    return this.followed.map(({ socket }) => socket);
  }

  get bytes(): { read: number; written: number } {
    this.sweep();
    let { bytesRead: read, bytesWritten: written } = this;
    for (const { socket, readBefore, writtenBefore } of this.followed) {
      read += socket.bytesRead - readBefore;
      written += socket.bytesWritten - writtenBefore;
    }
    return { read, written };
  }

  /** A destroyed socket's numbers stand still: they are added up, and the socket let go. */
  private sweep(): void {
    this.followed = this.followed.filter(({ socket, readBefore, writtenBefore }) => {
      if (!socket.destroyed) return true;
      this.bytesRead += socket.bytesRead - readBefore;
      this.bytesWritten += socket.bytesWritten - writtenBefore;
      return false;
    });
    this.sweepAt = Math.max(LEAST_SWEEP, 2 * this.followed.length);
  }
}
