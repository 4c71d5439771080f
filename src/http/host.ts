/** An `http.Server` as its connections see it: its options as they are now, and the list of those that are open. */
import { clearInterval, setInterval } from 'node:timers';
import type { ResponseOptions, ServerContract } from '../exchange/contracts.js';
import { Connections } from '../exchange/connections.js';
import { loopTime } from '../engine/thread-engine.js';
import { noteDelegatedClosed } from '../net/listen.js';
import { dropsEmptyBodies, listensFirst, type ServerWithFields } from '../node/http-server.js';
import { nodeHttp } from '../runtime/http.js';
import { MessageClassesOf } from './message-classes.js';

const DEFAULT_CHECKING_INTERVAL = 30_000;

function limit(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;
}

/** A connection, as its server's host uses it. */
export interface HostedConnection {
  place: number;
  readonly isIdle: boolean;
  destroy(error: Error | undefined): void;
  checkTime(now: number, headersTimeout: number, requestTimeout: number): void;
}

export class HttpHost implements ServerContract {
  readonly emitter: ServerWithFields;
  readonly highWaterMark: number;
  readonly responseOptions: ResponseOptions;
  readonly classes: MessageClassesOf;
  private readonly open = new Connections<HostedConnection>();
  private count = 0;
  private checker: NodeJS.Timeout | undefined;

  constructor(server: ServerWithFields, highWaterMark: number) {
    this.emitter = server;
    this.highWaterMark = highWaterMark;
    this.classes = new MessageClassesOf(server);
    this.responseOptions = {
      highWaterMark,
      rejectNonStandardBodyWrites: server.rejectNonStandardBodyWrites === true,
    };
  }

  /** The longest header block in bytes. */
  get longestHead(): number {
    return this.emitter.maxHeaderSize ?? nodeHttp.maxHeaderSize;
  }

  /** Whether node's own code may be spared: with these options it treats plain requests in a way of its own. */
  get servesPlain(): boolean {
    const { emitter: server } = this;
    return (
      listensFirst(server) &&
      !server.insecureHTTPParser &&
      server.httpValidation === undefined &&
      !server.maxHeadersCount &&
      !(server.maxRequestsPerSocket as number) &&
      !dropsEmptyBodies(server)
    );
  }

  admit(connection: HostedConnection): void {
    this.open.add(connection);
    if (this.count++ === 0) this.startChecking();
  }

  /** The connection is no longer its matter. */
  forget(connection: HostedConnection): void {
    this.open.remove(connection);
    if (--this.count === 0) clearInterval(this.checker);
  }

  /** A connection has closed. */
  release(connection: HostedConnection): void {
    this.forget(connection);
    noteDelegatedClosed(this.emitter);
  }

  closeAll(): void {
    for (const connection of this.open.all()) connection.destroy(undefined);
  }

  closeIdle(): void {
    for (const connection of this.open.all()) if (connection.isIdle) connection.destroy(undefined);
  }

  private startChecking(): void {
    const check = (): void => {
      const { headersTimeout, requestTimeout } = this.emitter;
      const limits = [limit(headersTimeout), limit(requestTimeout)] as const;
      const now = loopTime();
      for (const connection of this.open.all()) connection.checkTime(now, ...limits);
    };
    this.checker = setInterval(check, this.emitter.connectionsCheckingInterval ?? DEFAULT_CHECKING_INTERVAL).unref();
  }
}
