/** What a socket that has been given to another process still has to send. */
import { clearInterval, setInterval } from 'node:timers';
import { EngineConnection } from '../engine/connection.js';

/** A peer that has read nothing for so long will not: while this descriptor is open, the other process can't end it. */
const PATIENCE_MILLIS = 5000;

/**
 * Closes its descriptor once the kernel has the last byte: without a FIN, for the other process has the socket open. node
 * closes its own as soon as the other process says that it has it, and what has not left by then is lost. So no process is
 * kept alive for it.
 */
export class LingeringWrites extends EngineConnection {
  readonly nodeTicks = false;
  override blocked = true;
  private left = 0;
  private timer: NodeJS.Timeout | undefined;

  begin(): void {
    this.left = this.queued;
    this.engine.native.ref(this.id, false);
    this.timer = setInterval(closeIfStalled, PATIENCE_MILLIS, this).unref();
  }

  closeIfStalled(): void {
    const { queued } = this;
    if (queued === this.left) this.close();
    this.left = queued;
  }

  override close(): void {
    clearInterval(this.timer);
    super.close();
  }

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

function closeIfStalled(remainder: LingeringWrites): void {
  remainder.closeIfStalled();
}
