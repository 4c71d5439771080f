/** The second argument of a fetch handler. */
import type { ClientAddress, FetchInfo } from './contracts.js';

/** Asks its socket, which may have to ask the kernel, when it is asked. */
class Info implements FetchInfo {
  readonly #socket: ClientAddress;

  constructor(socket: ClientAddress) {
    this.#socket = socket;
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.#socket.remoteFamily;
  }

  get incoming(): { readonly socket: ClientAddress } {
    return { socket: this };
  }
}

export function infoOf(socket: ClientAddress): FetchInfo {
  return new Info(socket);
}
