/** The attempts of one connect(): one address after another, until one succeeds or none is left. */
import { constants } from 'node:os';
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { hasQueue, QueuedConnect } from '../engine/connect-queue.js';
import {
  connectError,
  connectQueueFullError,
  connectTimeoutError,
  ipBlockedError,
  type FailedEnds,
} from '../errors/index.js';
import type { NativeAddress } from '../binding/addon.js';
import type { Scope } from './async-scopes.js';
import { connectionOptions } from './socket-options.js';
import { SocketConnection, type AttemptOwner } from './socket-connection.js';
import type { SocketFields } from './socket-fields.js';

/** A socket that is connecting. */
export interface ConnectingSocket extends SocketFields {
  /** Starts a connection, again if there was one before. */
  _begin(): void;
  /** The kernel has established the connection. */
  _connected(): void;
}

/** An address to connect to, or a path. */
export interface Target {
  address: string;
  /** undefined: a path. */
  family: 4 | 6 | undefined;
}

/** The local address that the caller asked for, if any. */
export interface LocalEnd {
  host: string | undefined;
  port: number | undefined;
}

/** Errors of the kernel if the local address is not available; nothing has been sent then. */
const { EACCES, EADDRINUSE, EADDRNOTAVAIL, EALREADY, ECANCELED, EINVAL, EISCONN, ETIMEDOUT } = constants.errno;
const BIND_ERRORS = [-EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EINVAL];

/** Connects to the targets in turn, until one succeeds. */
export class Attempts implements AttemptOwner {
  private readonly socket: ConnectingSocket;
  private readonly targets: readonly Target[];
  private readonly port: number | undefined;
  private readonly local: LocalEnd;
  /** Milliseconds for each of several addresses, or in the queue for a path; 0: no such limit. */
  private readonly patience: number;
  private readonly errors: Error[] = [];
  private next = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    socket: ConnectingSocket,
    targets: readonly Target[],
    port: number | undefined,
    local: LocalEnd,
    patience: number,
  ) {
    this.socket = socket;
    this.targets = targets;
    this.port = port;
    this.local = local;
    this.patience = patience;
  }

  start(): void {
    const { socket, port } = this;
    const target = this.targets[this.next++];
    if (target === undefined) {
      this.giveUp();
      return;
    }
    if (socket._connection?.open === true) {
      this.connectAgain(socket._connection, target);
      return;
    }
    const { address, family } = target;
    const blocked = this.isBlocked(target);
    if (blocked && this.targets.length > 1) {
      const error = ipBlockedError(address);
      this.errors.push(error);
      this.tellFailed(target, error);
      this.goOn();
      return;
    }
    if (blocked) {
      this.tellAttempt(target);
      socket.destroy(ipBlockedError(address));
      return;
    }
    const { engine } = socket._settings;
    const reading = socket.readable;
    const options = connectionOptions(socket._settings, !reading);
    const waits = family === undefined && this.patience > 0;
    const id = waits
      ? engine.prepareConnect(this.nativeAddress(target), options)
      : engine.connect(this.nativeAddress(target), options);
    if (id < 0) {
      this.failSoon(target, id);
      return;
    }
    const connection = new SocketConnection(engine, id, socket, socket._scope as Scope, family !== undefined, reading);
    socket._onread?.begin(connection);
    connection.attempt = this;
    socket._connection = connection;
    this.tellAttempt(target);
    if (!socket.connecting) return;
    if (waits) this.waitInQueue(connection, target);
    if (this.targets.length > 1) socket.autoSelectFamilyAttemptedAddresses.push(`${address}:${String(port)}`);
    if (this.next < this.targets.length)
      this.timer = setTimeout(giveNextATurn, this.patience, this, connection, target);
  }

  /**
   * The socket is already connected or connecting. This reproduces the kernel's answers in node: a UNIX socket connects
   * at once; a TCP socket is first in progress, and Linux then confirms the connect once more.
   */
  private connectAgain(connection: SocketConnection, target: Target): void {
    const { socket } = this;
    const pending = connection.attempt !== undefined;
    this.tellAttempt(target);
    if (!socket.connecting) return;
    const isOther = target.family === undefined;
    if (connection.tcp && (isOther || pending || !connection.confirmsConnect())) {
      socket.destroy(this.errorOf(target, isOther ? -EINVAL : pending ? -EALREADY : -EISCONN, 'connect'));
      return;
    }
    // Only the second connect is reported.
    connection.attempt = undefined;
    setImmediate(() => {
      if (!socket.connecting || socket._connection !== connection) return;
      if (connection.tcp) socket._connected();
      else this.failedWith(target, this.errorOf(target, -EISCONN, 'connect'));
    });
  }

  private waitInQueue(connection: SocketConnection, target: Target): void {
    // Nearly all connects are done after this line.
    if (!hasQueue(target.address) && connection.engine.tryConnect(connection.id) === 'settled') return;
    const place = new QueuedConnect(target.address, this.patience, {
      tryOnce: () => connection.engine.tryConnect(connection.id),
      giveUp: (waited) => {
        const error = connectQueueFullError(target.address, waited);
        connection.scope.run(() => {
          this.failedWith(target, error);
        });
      },
    });
    if (this.socket._unreferenced) place.setRef(false);
    connection.place = place;
    place.wait();
  }

  private tellAttempt({ address, family }: Target): void {
    const { socket, port } = this;
    socket.emit('connectionAttempt', address, port, family);
  }

  /** The kernel refused at once. No 'error' listener may run inside connect(). */
  private failSoon(target: Target, errno: number): void {
    const { socket } = this;
    const syscall = BIND_ERRORS.includes(errno) && this.hasLocalEnd() ? 'bind' : 'connect';
    // A failed bind does not count as an attempt.
    if (syscall === 'connect') this.tellAttempt(target);
    process.nextTick(() => {
      if (socket.connecting) this.failed(target, errno, syscall);
    });
  }

  private isBlocked({ address, family }: Target): boolean {
    const { blockList } = this.socket;
    if (blockList === undefined || family === undefined) return false;
    return blockList.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }

  private hasLocalEnd(): boolean {
    return this.local.host !== undefined || this.local.port !== undefined;
  }

  private nativeAddress({ address, family }: Target): NativeAddress {
    if (family === undefined) return { path: address };
    const target: NativeAddress = { host: address, port: this.port };
    if (this.hasLocalEnd()) {
      target.localHost = this.local.host ?? (family === 4 ? '0.0.0.0' : '::');
      target.localPort = this.local.port ?? 0;
    }
    return target;
  }

  attemptDone(connection: SocketConnection, status: number): void {
    clearTimeout(this.timer);
    const { socket } = this;
    if (status === 0) {
      socket._connected();
      return;
    }
    const target = this.targets[this.next - 1] as Target;
    // The last connection is closed by the socket's own end.
    if (this.targets.length > 1) connection.closeNow(false);
    this.failed(target, status, 'connect');
  }

  private failed(target: Target, errno: number, syscall: 'bind' | 'connect'): void {
    const { socket } = this;
    const error = this.errorOf(target, errno, syscall);
    if (this.targets.length === 1) {
      this.failedWith(target, error, syscall === 'connect');
      return;
    }
    if (syscall === 'connect') this.tellFailed(target, error);
    this.errors.push(error);
    if (errno === -ECANCELED && socket.connecting) this.giveUp();
    else this.goOn();
  }

  /** The only target has failed. */
  private failedWith(target: Target, error: Error, attempted = true): void {
    const { socket } = this;
    socket.connecting = false;
    if (attempted) this.tellFailed(target, error);
    socket.destroy(error);
  }

  private tellFailed({ address, family }: Target, error: Error): void {
    this.socket.emit('connectionAttemptFailed', address, this.port, family, error);
  }

  private errorOf({ address, family }: Target, errno: number, syscall: 'bind' | 'connect'): Error {
    const { port, local } = this;
    if (syscall === 'bind') {
      const host = local.host ?? (family === 6 ? '::' : '0.0.0.0');
      return connectError(errno, syscall, { address: host, port: local.port });
    }
    const ends: FailedEnds = { address, port };
    return connectError(errno, syscall, { ...ends, localAddress: local.host, localPort: local.port });
  }

  /** An address did not answer in time: try the next. */
  timedOut(connection: SocketConnection, target: Target): void {
    const { socket, port } = this;
    if (!socket.connecting || connection.attempt !== this) return;
    socket.emit('connectionAttemptTimeout', target.address, port, target.family);
    this.errors.push(this.errorOf(target, -ETIMEDOUT, 'connect'));
    connection.closeNow(false);
    this.goOn();
  }

  /** Starts the next attempt, unless a listener has destroyed the socket. */
  private goOn(): void {
    if (this.socket.connecting) this.start();
  }

  private giveUp(): void {
    const { errors, socket } = this;
    const [first] = errors as NodeJS.ErrnoException[];
    if (first === undefined) socket.destroy(connectTimeoutError());
    else socket.destroy(Object.assign(new AggregateError(errors), { code: first.code }));
  }
}

function giveNextATurn(attempts: Attempts, connection: SocketConnection, target: Target): void {
  connection.scope.run(() => {
    attempts.timedOut(connection, target);
  });
}
