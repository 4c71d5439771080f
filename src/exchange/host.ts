/** A server as its connections see it: its options as they are now, and the list of those that are open. */
import { getDefaultHighWaterMark } from 'node:stream';
import { clearInterval, setInterval } from 'node:timers';
import { loopTime } from '../engine/thread-engine.js';
import { noteDelegatedClosed } from '../net/listen.js';
import type { ServerWithFields } from '../node/http-server.js';
import { Connections } from './connections.js';
import type { HostedConnection, MessageClasses, ResponseOptions, ServerContract } from './contracts.js';
import { MessageClassesOf } from './message-classes.js';

const DEFAULT_CHECKING_INTERVAL = 30_000;

function limit(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;
}

/** As node's server, which takes the shorter of two for that of the head. */
function timeoutsOf(server: ServerWithFields): [headersTimeout: number, requestTimeout: number] {
  const [headers, request] = [limit(server.headersTimeout), limit(server.requestTimeout)];
  return request > 0 && headers > request ? [request, headers] : [headers, request];
}

export class ServerHost implements ServerContract {
  readonly emitter: ServerWithFields;
  readonly highWaterMark: number;
  readonly responseOptions: ResponseOptions;
  readonly classes: MessageClassesOf;
  private readonly open = new Connections<HostedConnection>();
  private checker: NodeJS.Timeout | undefined;

  /** As for `MessageClassesOf`. */
  constructor(server: ServerWithFields, own: MessageClasses) {
    const { highWaterMark = getDefaultHighWaterMark(false) } = server;
    this.emitter = server;
    this.highWaterMark = highWaterMark;
    this.classes = new MessageClassesOf(server, own);
    this.responseOptions = {
      highWaterMark,
      rejectNonStandardBodyWrites: server.rejectNonStandardBodyWrites === true,
    };
  }

  admit(connection: HostedConnection): void {
    this.open.add(connection);
    this.checker ??= this.startChecking();
  }

  /** The connection is no longer its matter. */
  forget(connection: HostedConnection): void {
    this.open.remove(connection);
    if (!this.emitter.listening) this.stopIfEmpty();
  }

  /** A native connection has closed. */
  release(connection: HostedConnection): void {
    this.forget(connection);
    noteDelegatedClosed(this.emitter);
  }

  closeAll(): void {
    for (const connection of this.open.all()) connection.destroy(undefined);
  }

  /** Node calls this in the server's `close()`, too. */
  closeIdle(): void {
    for (const connection of this.open.all()) if (connection.isIdle) connection.destroy(undefined);
    this.stopIfEmpty();
  }

  /** Not with the last of each rush: a timer costs more than all else that a connection has to do with its host. */
  private stopIfEmpty(): void {
    if (this.open.size > 0) return;
    clearInterval(this.checker);
    this.checker = undefined;
  }

  private startChecking(): NodeJS.Timeout {
    const check = (): void => {
      this.stopIfEmpty();
      const limits = timeoutsOf(this.emitter);
      const now = loopTime();
      for (const connection of this.open.all()) connection.checkTime(now, ...limits);
    };
    return setInterval(check, this.emitter.connectionsCheckingInterval ?? DEFAULT_CHECKING_INTERVAL).unref();
  }
}
