/**
 * Connects of the `js` transport that wait for room in a UNIX listener's queue.
 *
 * node makes the handle inside `connect()`, and has it connect at once. So the socket's first handle is met on its way in,
 * and its own `connect` is replaced by one that asks again; what node sees is one attempt, which takes longer. Nothing else
 * of the socket is touched, and nothing of other sockets.
 */
import { AsyncResource } from 'node:async_hooks';
import type * as net from 'node:net';
import { constants } from 'node:os';
import { Place, type Connecting, type Outcome } from '../connect-line.js';
import { connectQueueFullError } from '../errors.js';
import { patienceOf, type ConnectPatience } from '../options.js';
import { normalizeArguments } from './arguments.js';

/** node's object for one attempt. It serves only once. */
interface ConnectRequest {
  oncomplete(status: number, ...rest: unknown[]): void;
}

/** The part of node's handles of UNIX sockets that is used here. */
interface PipeHandle {
  readonly fd: number;
  connect(request: ConnectRequest, path: string): number;
  open(fd: number): void;
  close(callback?: () => void): void;
  ref(): void;
  unref(): void;
}

type MethodName = Exclude<keyof PipeHandle, 'fd'>;

const EAGAIN = -constants.errno.EAGAIN;

/** The inherited method of a handle, whatever stands before it. */
function inherited<const N extends MethodName>(handle: PipeHandle, name: N): PipeHandle[N] {
  return (Object.getPrototypeOf(handle) as PipeHandle)[name].bind(handle) as PipeHandle[N];
}

class PipeConnecting implements Connecting {
  /** Attempts are made from timers, and node calls back in the context in which an attempt was made. */
  private readonly scope = new AsyncResource('NEARWIRECONNECT', { requireManualDestroy: true });
  private readonly place: Place;
  private begun = false;
  private refused = false;
  private ended = false;
  /** What the first attempt of all answered in place of a callback. */
  private refusedAtOnce = 0;

  constructor(
    private readonly socket: net.Socket,
    private readonly handle: PipeHandle,
    private readonly request: ConnectRequest,
    private readonly path: string,
    patience: number,
  ) {
    this.place = new Place(path, patience, this);
  }

  /** What the handle's own `connect` answers: 0, or a negative errno, and then there will be no callback. */
  begin(): number {
    const { handle } = this;
    handle.close = (callback) => {
      this.end();
      handle.close(callback);
    };
    for (const [name, on] of [
      ['ref', true],
      ['unref', false],
    ] as const) {
      handle[name] = () => {
        this.place.setRef(on);
        inherited(handle, name)();
      };
    }
    this.place.enter();
    this.begun = true;
    return this.refusedAtOnce;
  }

  tryOnce(): Outcome {
    const { request } = this;
    const again = new (request.constructor as new () => ConnectRequest)();
    Object.assign(again, request);
    again.oncomplete = (status, _handle, _request, ...rest) => {
      this.answered(status, again, rest);
    };
    const error = this.scope.runInAsyncScope(() => inherited(this.handle, 'connect')(again, this.path));
    if (error === 0) return 'pending';
    if (this.begun)
      process.nextTick(() => {
        this.request.oncomplete(error, this.handle, again, true, true);
      });
    else this.refusedAtOnce = error;
    this.end();
    return 'settled';
  }

  private answered(status: number, request: ConnectRequest, rest: unknown[]): void {
    const { handle } = this;
    if (status === EAGAIN) {
      this.refused = true;
      this.place.answer(true);
      return;
    }
    this.end();
    if (status === 0 && this.refused) {
      // libuv notes that a handle can be read and written when it makes its socket, unless the connect fails that it was
      // made for: it is told so now.
      handle.open(handle.fd);
      rest = [true, true];
    }
    this.request.oncomplete(status, handle, request, ...rest);
  }

  giveUp(waited: number): void {
    this.end();
    const { socket, path } = this;
    const error = connectQueueFullError(path, waited);
    this.scope.runInAsyncScope(() => {
      // What node does when its attempt has failed.
      (socket as { connecting: boolean }).connecting = false;
      socket.emit('connectionAttemptFailed', path, undefined, undefined, error);
      socket.destroy(error);
    });
  }

  /** The handle is its own again. */
  private end(): void {
    if (this.ended) return;
    this.ended = true;
    for (const name of ['connect', 'close', 'ref', 'unref'] as const) Reflect.deleteProperty(this.handle, name);
    this.place.leave();
    this.scope.emitDestroy();
  }
}

/** Has the socket's next connect, which goes where these options say, wait for room. */
function arm(socket: net.Socket, options: ConnectPatience & { path?: unknown }): void {
  const patience = patienceOf(options);
  const { path } = options;
  const { _handle: before } = socket as { _handle?: object | null };
  if (typeof path !== 'string' || path === '' || patience === 0 || before) return;
  Object.defineProperty(socket, '_handle', {
    configurable: true,
    get: () => null,
    set: (handle: PipeHandle | null) => {
      if (handle === null) return;
      Reflect.deleteProperty(socket, '_handle');
      Reflect.set(socket, '_handle', handle);
      handle.connect = (request, path) => new PipeConnecting(socket, handle, request, path, patience).begin();
    },
  });
}

const CONNECT: PropertyDescriptor = {
  value(this: net.Socket, ...args: unknown[]) {
    const [options] = normalizeArguments<ConnectPatience & { path?: unknown }>(args);
    arm(this, options);
    // A subclass may have its own.
    const { connect } = Object.getPrototypeOf(this) as { connect(...args: unknown[]): net.Socket };
    return connect.apply(this, args);
  },
  writable: true,
  configurable: true,
};

/** Gives a socket of node's a `connect` that waits for room. */
export function connectsPatiently<T extends net.Socket>(socket: T): T {
  return Object.defineProperty(socket, 'connect', CONNECT);
}
