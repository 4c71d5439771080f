/**
 * The parts of a native socket below its stream: its connection and settings, timeout and addresses, and its position
 * in the prototype chain (see the end of this file).
 */
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import type { NativeEndpoint } from '../binding/addon.js';
import { now } from '../engine/clock.js';
import { checkFunction, type BufferSizes } from '../config/options.js';
import type { Scope } from './async-scopes.js';
import type { Onread } from './onread.js';
import { IdleTimer, timerDuration } from './idle-timer.js';
import { delaySeconds, type SocketSettings, type StreamOptions } from './socket-options.js';
import type { ConnectionCounting } from '../node/server-connections.js';
import type { EarlyWrite, SocketFields } from './socket-fields.js';
import { ownName, peerName, socketProperties } from './socket-properties.js';
import type { HeldWrite } from '../node/stream-state.js';
import type { SocketConnection } from './socket-connection.js';

/**
 * Duplex's constructor, with the type that its objects have after the end of this file: TypeScript cannot express a
 * prototype chain that is set up after the class.
 */
const DuplexAsSocket = Duplex as unknown as typeof net.Socket;

/** socket-fields.ts documents its fields. */
export class SocketBase extends DuplexAsSocket implements SocketFields {
  declare readonly transport: 'native';
  declare readonly bufferSizes: BufferSizes | undefined;
  declare timeout?: number;
  /** The part of Duplex that node:net itself uses and its types leave out. */
  declare readonly _undestroy: () => void;
  declare _scope?: Scope;
  declare _message?: unknown;
  declare blockList?: net.BlockList;
  declare autoSelectFamilyAttemptedAddresses: string[];

  override connecting = false;
  server: unknown = null;
  _server: ConnectionCounting | null = null;
  _connection: SocketConnection | undefined;
  _idle: IdleTimer | undefined;
  declare _onread?: Onread;
  _settings: SocketSettings;
  _unreferenced = false;
  _peerName: NativeEndpoint | undefined;
  _ownName: NativeEndpoint | undefined;
  _sentAhead: number | undefined;
  _held: HeldWrite[] | undefined;
  _heldLength = 0;
  _earlyWrite: EarlyWrite | undefined;

  constructor(settings: SocketSettings, options: StreamOptions) {
    super(options);
    this._settings = settings;
  }

  // --- timeout ---

  override setTimeout(milliseconds: number, callback?: () => void): this {
    if (this.destroyed) return this;
    this.timeout = milliseconds;
    const duration = timerDuration(milliseconds);
    if (callback !== undefined) checkFunction(callback, 'callback');
    if (duration > 0) {
      this._idle ??= new IdleTimer(
        () => {
          this._onTimeout();
        },
        () => now() - (this._connection?.spliceIdle ?? Infinity),
      );
      if (callback !== undefined) this.once('timeout', callback);
    } else if (callback !== undefined) {
      this.removeListener('timeout', callback);
    }
    this._idle?.set(duration);
    return this;
  }

  _onTimeout(): void {
    if (this._connection?.hasSent() === true) this._idle?.touch();
    else this.emit('timeout');
  }

  /** Records activity; node's own http code calls it. */
  _unrefTimer(): void {
    this._idle?.touch();
  }

  // --- the kernel's side ---

  override setNoDelay(enable?: boolean): this {
    // Programs pass values other than booleans, which node accepts.
    const value: unknown = enable;
    const on = value === undefined || Boolean(value);
    const { _settings: settings, _connection: connection } = this;
    if (on === settings.noDelay) return this;
    this._settings = { ...settings, noDelay: on };
    if (connection !== undefined && connection.open && connection.tcp)
      connection.engine.native.setNoDelay(connection.id, on);
    return this;
  }

  override setKeepAlive(enable?: boolean, initialDelay?: number): this {
    const value: unknown = enable;
    const on = Boolean(value);
    const delay = delaySeconds(initialDelay);
    const { _settings: settings, _connection: connection } = this;
    if (on === settings.keepAlive && (!on || delay === settings.keepAliveDelay)) return this;
    this._settings = { ...settings, keepAlive: on, keepAliveDelay: delay };
    if (connection !== undefined && connection.open && connection.tcp)
      connection.engine.native.setKeepAlive(connection.id, on, delay);
    return this;
  }

  override ref(): this {
    return this._setReference(true);
  }

  override unref(): this {
    return this._setReference(false);
  }

  private _setReference(on: boolean): this {
    this._unreferenced = !on;
    const connection = this._connection;
    // Before there is a connection it is only recorded, and an attempt to connect keeps the process alive.
    if (connection !== undefined && connection.open) {
      connection.engine.native.ref(connection.id, on);
      connection.place?.setRef(on);
    }
    return this;
  }

  _getpeername(): NativeEndpoint {
    return peerName(this);
  }

  _getsockname(): NativeEndpoint {
    return ownName(this);
  }

  override address(): net.AddressInfo | Record<string, never> {
    return this._getsockname() as net.AddressInfo | Record<string, never>;
  }
}

Object.defineProperties(SocketBase.prototype, socketProperties);
Object.setPrototypeOf(SocketBase.prototype, net.Socket.prototype);
