/** Announces a connection to the program when that must not happen inside one of the program's own calls. */
import { captureScope } from './context.js';
import type { CarrierOwner } from './carrier.js';
import type { Connection } from './connection.js';

/**
 * Announces on the next tick, in the current async context, or earlier if the connection has an event before: until
 * then the announcement is the carrier's owner.
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

  /** The event is delivered even if listeners throw; their exception surfaces after it. */
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
