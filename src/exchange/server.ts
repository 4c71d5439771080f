/** An `http.Server` that speaks a protocol other than HTTP. */
import type * as http from 'node:http';
import type { BufferSizes, TransportName } from '../config/options.js';
import { setAcceptDelegate, type AcceptingListener } from '../net/accept-delegate.js';
import { installTransport, type ServerInfo } from '../net/factory.js';
import { divertAccepted } from '../node/accepted-sockets.js';
import { checkMessages } from '../node/http-messages.js';
import { leaveConnections } from '../node/http-server.js';
import { nodeHttp } from '../runtime/http.js';
import type { ServerStats } from '../stats/server-stats.js';
import { NativeCarrier } from './native-carrier.js';
import { NodeCarrier } from './node-carrier.js';
import type { Codec } from './codec.js';
import { OneRequestHost } from './one-request-host.js';
import { checkOptions, type ExchangeServerOptions, type OwnOptions } from './options.js';
import { ExchangeSocket } from './socket.js';
import { endsMayBeShort } from './study.js';

function admit(host: OneRequestHost, { engine }: AcceptingListener, id: number): boolean {
  return host.announce(host.serve(new NativeCarrier(engine, id, false)));
}

/**
 * An `http.Server` whose connections speak another protocol, and carry one request each. Properties for what only HTTP
 * has, such as `keepAliveTimeout`, have no effect.
 */
export class ExchangeServer<Request extends typeof http.IncomingMessage = typeof http.IncomingMessage>
  extends nodeHttp.Server<Request>
  implements ServerInfo
{
  /** Whether a peer that has ended its side still gets a response. Default false. */
  declare httpAllowHalfOpen: boolean;
  declare readonly transport: TransportName;
  declare readonly bufferSizes: BufferSizes | undefined;
  declare readonly stats: () => ServerStats;
  /** @internal */
  readonly _host: OneRequestHost;

  constructor(
    codec: Codec,
    options: ExchangeServerOptions,
    own: OwnOptions,
    requestListener: http.RequestListener<Request> | undefined,
  ) {
    checkOptions(options, own);
    checkMessages();
    endsMayBeShort();
    super(options as http.ServerOptions<Request>, requestListener);
    leaveConnections(this);
    const host = new OneRequestHost(this, codec, options);
    this._host = host;
    divertAccepted(this, {
      isOwn: (socket) => socket instanceof ExchangeSocket,
      serve(socket) {
        host.announce(host.serve(new NodeCarrier(socket)));
      },
    });
    setAcceptDelegate(this, {
      protocol: codec.name,
      peerSpeaksFirst: codec.peerSpeaksFirst,
      owned: false,
      take(listener, id, insideClose) {
        if (insideClose) host.announceLater(host.serve(new NativeCarrier(listener.engine, id, false)));
        else listener.announce(admit, host, id);
        return true;
      },
    });
    installTransport(this, options);
  }

  /** Closes all connections at once, including those with pending requests. */
  override closeAllConnections(): void {
    this._host.closeAll();
  }

  /** Closes connections whose request has been answered. One that waits for its request is not idle. */
  override closeIdleConnections(): void {
    this._host.closeIdle();
  }
}
