/** Counts node's own connections from their sockets' counters, without a listener on any socket. */
import type * as net from 'node:net';

/** Closed sockets are looked for once the list reaches this length, and then whenever it has doubled. */
const LEAST_SWEEP = 64;

interface Followed {
  socket: net.Socket;
  /** Bytes that were counted elsewhere. */
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

  /** Counts from here on; earlier bytes are already counted. */
  follow(socket: net.Socket, readBefore: number, writtenBefore: number): void {
    if (this.followed.length >= this.sweepAt) this.sweep();
    this.followed.push({ socket, readBefore, writtenBefore });
  }

  /** Connections that are open, as far as their sockets know. */
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

  /** A destroyed socket's counters are final: they are added to the totals, and the socket is released. */
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
