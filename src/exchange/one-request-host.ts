/** An `http.Server` whose connections carry one request each, by another protocol than HTTP. */
import { nodeHttp } from '../runtime/http.js';
import type { ServerWithFields } from '../node/http-server.js';
import { connections, type ConnectionEvent } from '../stats/events.js';
import { announceLater } from './announcement.js';
import type { Carrier } from './carrier.js';
import type { Codec } from './codec.js';
import { captureScope } from './context.js';
import type { MessageClasses, OneRequestServer } from './contracts.js';
import { ServerHost } from './host.js';
import { OneRequestConnection } from './one-request.js';
import type { ExchangeServerOptions } from './options.js';
import type { ExchangeSocket } from './socket.js';

function classesOf({
  IncomingMessage: request = nodeHttp.IncomingMessage,
  ServerResponse: response = nodeHttp.ServerResponse,
}: ExchangeServerOptions): MessageClasses {
  return { request, response } as unknown as MessageClasses;
}

export class OneRequestHost extends ServerHost implements OneRequestServer {
  readonly codec: Codec;
  readonly uniqueHeaders: ReadonlySet<string>;

  constructor(server: ServerWithFields, codec: Codec, options: ExchangeServerOptions) {
    super(server, classesOf(options));
    this.codec = codec;
    this.uniqueHeaders = new Set((options.uniqueHeaders ?? []).map((name) => name.toLowerCase()));
  }

  serve(carrier: Carrier): OneRequestConnection {
    const connection = new OneRequestConnection(this, carrier);
    this.admit(connection);
    const { timeout } = this.emitter;
    if (timeout > 0) connection.socket.setTimeout(timeout);
    return connection;
  }

  /** Returns whether there is a listener or a subscriber. */
  announce({ socket }: OneRequestConnection): boolean {
    const { emitter: server } = this;
    // What listeners enter stays their own: before Node 24 all later connections would be in it.
    const isHeard = connections.hasSubscribers || server.listenerCount('connection') > 0;
    if (isHeard) captureScope().runInAsyncScope(tellConnection, undefined, server, socket);
    else tellConnection(server, socket);
    return isHeard;
  }

  /** When the program has left its call that closes the server. */
  announceLater(connection: OneRequestConnection): void {
    announceLater(connection, () => {
      this.announce(connection);
    });
  }

  get joinDuplicateHeaders(): boolean {
    return this.emitter.joinDuplicateHeaders === true;
  }

  get httpAllowHalfOpen(): boolean {
    return this.emitter.httpAllowHalfOpen;
  }
}

function tellConnection(server: ServerWithFields, socket: ExchangeSocket): void {
  if (connections.hasSubscribers) connections.publish({ server, socket } satisfies ConnectionEvent);
  server.emit('connection', socket as never);
}
