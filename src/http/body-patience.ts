/** A server's `requestTimeout` for a body that node's parser does not read, and so does not watch. */
import type * as http from 'node:http';
import type * as net from 'node:net';
import { clearTimeout, setTimeout } from 'node:timers';
import { requestTimeoutError } from '../errors/index.js';

export class BodyPatience {
  private timer: NodeJS.Timeout | undefined;
  private readonly socket: net.Socket & { server?: http.Server };

  constructor(socket: net.Socket & { server?: http.Server }) {
    this.socket = socket;
  }

  /** The body is not all there. Does nothing if that is known. */
  begin(): void {
    const { requestTimeout = 0 } = this.socket.server ?? {};
    if (this.timer !== undefined || requestTimeout === 0) return;
    this.timer = setTimeout(expire, requestTimeout, this.socket).unref();
    this.socket.once('close', this.onClose);
  }

  end(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.socket.removeListener('close', this.onClose);
  }

  private readonly onClose = (): void => {
    this.end();
  };
}

/** Has node's server do what it does when its parser has waited for too long: that is in its listener of 'error'. */
function expire(socket: net.Socket): void {
  const error = requestTimeoutError();
  const listener = socket.listeners('error').find(({ name }) => name === 'socketOnError');
  if (listener === undefined) socket.destroy(error);
  else listener.call(socket, error);
}
