/** The parts of a native channel that do not concern its data: addresses, counters, timeout, ref and unref. */
import type { ChannelCounters } from './types.js';
import { CONNECTION_COUNTERS, type NativeEndpoint } from '../binding/addon.js';
import type { BufferSizes } from '../config/options.js';
import { ORIGIN } from '../engine/clock.js';
import { EngineConnection } from '../engine/connection.js';
import { IdleTimer, timerDuration } from '../net/idle-timer.js';
import { readBufferSizes } from '../net/socket-properties.js';

const NO_NAME: NativeEndpoint = {};

export abstract class ChannelBase extends EngineConnection {
  readonly transport = 'native';
  readonly nodeTicks = false;
  data: unknown = undefined;
  private lastCounters: ChannelCounters | undefined;
  /**
   * Kept once it has been asked for on a connected channel: as in node:net, it then remains known after the end, while
   * the local address does not.
   */
  private peerName: NativeEndpoint | undefined;
  private idle: IdleTimer | undefined;

  protected abstract onTimeout(): void;

  get closed(): boolean {
    return this.id < 0;
  }

  get remoteAddress(): string | undefined {
    return this.peer.address;
  }

  get remotePort(): number | undefined {
    return this.peer.port;
  }

  get remoteFamily(): string | undefined {
    return this.peer.family;
  }

  get localAddress(): string | undefined {
    return this.own.address;
  }

  get localPort(): number | undefined {
    return this.own.port;
  }

  get localFamily(): string | undefined {
    return this.own.family;
  }

  private get peer(): NativeEndpoint {
    if (this.peerName !== undefined) return this.peerName;
    const name = this.engine.native.peerAddress(this.id);
    return typeof name === 'number' ? NO_NAME : (this.peerName = name);
  }

  private get own(): NativeEndpoint {
    const name = this.engine.native.localAddress(this.id);
    return typeof name === 'number' ? NO_NAME : name;
  }

  ref(): this {
    return this.setRef(true);
  }

  unref(): this {
    return this.setRef(false);
  }

  private setRef(on: boolean): this {
    if (this.id < 0) return this;
    this.engine.native.ref(this.id, on);
    this.place?.setRef(on);
    return this;
  }

  setTimeout(milliseconds: number): this {
    const duration = timerDuration(milliseconds);
    if (this.id < 0 || (duration === 0 && this.idle === undefined)) return this;
    this.idle ??= new IdleTimer(
      () => {
        this.onTimeout();
      },
      () => this.movedAt,
      true,
    );
    this.idle.set(duration);
    return this;
  }

  /** The addon records when bytes move, so a message needs no call of the timer. */
  private get movedAt(): number {
    const at = this.engine.native.movedAt(this.id);
    return at === 0 ? -Infinity : ORIGIN + at;
  }

  protected touchTimeout(): void {
    this.idle?.touch();
  }

  /** Called when the channel is about to close. */
  protected keepCounters(): void {
    this.lastCounters = this.counters;
    this.idle?.stop();
  }

  get counters(): ChannelCounters {
    if (this.lastCounters !== undefined) return this.lastCounters;
    const values = this.engine.native.connectionCounters(this.id);
    const entries = CONNECTION_COUNTERS.map((name, i) => [name, typeof values === 'number' ? 0 : (values[i] ?? 0)]);
    return Object.fromEntries(entries) as ChannelCounters;
  }

  get bufferSizes(): BufferSizes | undefined {
    return readBufferSizes(this.engine, this.id);
  }
}
