/** The addresses of a connection, as they were when it was open. */
import type { NativeEndpoint } from '../binding/addon.js';
import type { NativeCarrier } from '../exchange/native-carrier.js';

/** A UNIX-domain socket's, as node has it, or those of a connection that has closed. */
const NO_NAME: NativeEndpoint = {};

export class EndpointNames {
  private readonly carrier: NativeCarrier;
  private readonly tcp: boolean;
  private knownPeer: NativeEndpoint | undefined;
  private knownOwn: NativeEndpoint | undefined;

  constructor(carrier: NativeCarrier, tcp: boolean) {
    this.carrier = carrier;
    this.tcp = tcp;
  }

  get peer(): NativeEndpoint {
    return (this.knownPeer ??= this.ask('peerAddress')) ?? NO_NAME;
  }

  get own(): NativeEndpoint {
    return (this.knownOwn ??= this.ask('localAddress')) ?? NO_NAME;
  }

  private ask(which: 'peerAddress' | 'localAddress'): NativeEndpoint | undefined {
    const { carrier } = this;
    if (!this.tcp || carrier.id < 0) return undefined;
    const name = carrier.engine.native[which](carrier.id);
    return typeof name === 'number' ? undefined : name;
  }
}
