/** What a socket that has been given to another process still has to send. */
import { Wire } from '../wire.js';

/** Closes its descriptor once the kernel has the last byte: without a FIN, for the other process has the socket open. */
export class Remainder extends Wire {
  readonly nodeTicks = false;
  override blocked = true;

  onDrain(): void {
    this.close();
  }

  onWriteError(): void {
    this.close();
  }

  override onInbox(): void {
    // What had been read before the socket was given away is lost, as node's sockets lose it.
  }

  onEnd(): void {
    // Not ours to answer any more.
  }

  onReadError(): void {
    // The other process is told when it reads.
  }

  onConnect(): void {
    // It was connected.
  }

  onShutdown(): void {
    // Whoever asked for it has been answered.
  }

  onFlushed(): void {
    // Nobody asks.
  }
}
