/** A server's `requestTimeout` for a body that node's parser does not read, and thus does not time. */
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

  /** The body is incomplete. Does nothing if the timer is already running. */
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

/** Does what node's server does when its parser has waited too long, which is in its 'error' listener. */
function expire(socket: net.Socket): void {
  const error = requestTimeoutError();
  const listener = socket.listeners('error').find(({ name }) => name === 'socketOnError');
  if (listener === undefined) socket.destroy(error);
  else listener.call(socket, error);
}
