/** The unsent writes of a socket that has been given to another process. */
import { clearInterval, setInterval } from 'node:timers';
import { EngineConnection } from '../engine/connection.js';

/**
 * A peer that has read nothing for this long will not read any more; and while this descriptor is open, the other
 * process cannot end the connection.
 */
const PATIENCE_MILLIS = 5000;

/**
 * Closes its descriptor once the kernel has taken the last byte, without a FIN, because the other process has the
 * socket open. Node closes its own as soon as the other process confirms that it has the socket, and loses what has not
 * been sent by then. So these writes do not keep the process alive.
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
    // Bytes read before the socket was given away are lost, as with node's sockets.
  }

  onEnd(): void {
    // The other process handles the end.
  }

  onReadError(): void {
    // The other process gets the error when it reads.
  }

  onConnect(): void {
    // It is already connected.
  }

  onShutdown(): void {
    // The caller that asked for it has already been answered.
  }

  onFlushed(): void {
    // Never requested.
  }
}

function closeIfStalled(remainder: LingeringWrites): void {
  remainder.closeIfStalled();
}
