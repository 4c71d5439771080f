/** Tells the program of a connection, where that is not to happen inside a call of the program's. */
import { captureScope } from './context.js';
import type { CarrierOwner } from './carrier.js';
import type { Connection } from './connection.js';

/**
 * Tells on the next tick, in the context of now, or before the first thing that comes of the connection: it is the
 * carrier's owner until then.
 */
export function announceLater(connection: Connection, announce: () => void): void {
  const announcement = new Announcement(connection, announce);
  process.nextTick(tell, announcement);
}

class Announcement implements CarrierOwner {
  private readonly connection: Connection;
  private readonly announce: () => void;
  private readonly scope = captureScope();
  private told = false;

  constructor(connection: Connection, announce: () => void) {
    this.connection = connection;
    this.announce = announce;
    connection.carrier.owner = this;
  }

  tell(): void {
    if (this.told) return;
    this.told = true;
    const { carrier } = this.connection;
    if (carrier.owner === this) carrier.owner = this.connection;
    this.scope.runInAsyncScope(this.announce);
  }

  /** What listeners throw comes out behind what has come. */
  private tellBefore(event: () => void): void {
    try {
      this.tell();
    } finally {
      event();
    }
  }

  onBytes(data: Buffer, start: number, end: number): void {
    this.tellBefore(() => {
      this.connection.onBytes(data, start, end);
    });
  }

  onFlushed(): void {
    this.tellBefore(() => {
      this.connection.onFlushed();
    });
  }

  onPeerEnd(): void {
    this.tellBefore(() => {
      this.connection.onPeerEnd();
    });
  }

  onFailure(error: Error | undefined): void {
    this.tellBefore(() => {
      this.connection.onFailure(error);
    });
  }
}

function tell(announcement: Announcement): void {
  announcement.tell();
}
