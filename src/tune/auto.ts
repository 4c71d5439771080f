/** `autoTune`: has a server follow the advice on its send buffers by itself, within limits. */
import * as diagnostics from 'node:diagnostics_channel';
import * as net from 'node:net';
import type { ChannelServer } from '../channel.js';
import { descriptorUnder } from '../descriptor.js';
import { argTypeError } from '../errors.js';
import { addonStatus } from '../native.js';
import { checkWhole } from '../options.js';
import { toldServer } from '../net/takers.js';
import type { ToldServer } from '../stats/events.js';
import { counterFor } from '../stats/server-counter.js';
import type { AutoTuneStats } from '../stats/server-stats.js';
import { findConnections } from './connections.js';
import { median, type SendEvidence } from './evidence.js';
import { LARGEST_SEND_BUFFER, LARGEST_TUNED_BUFFER, memoryForBuffers, sendBufferLimit } from './limits.js';
import type { Observer } from './observe.js';
import { observerOf } from './observer-of.js';
import { adviseSendBuffer, type Finding } from './rule.js';

/** Limits of `autoTune`. */
export interface AutoTuneOptions {
  /** Milliseconds from one decision to the next. Default 5,000. */
  every?: number | undefined;
  /** The largest send buffer, in bytes as the kernel reads it back. Default and at most: 4 MiB and 8 MiB. */
  largest?: number | undefined;
  /** Bytes that the send buffers of all connections may come to together. Default: an eighth of the process's memory. */
  memory?: number | undefined;
}

export interface TuningOptions {
  /**
   * Have send buffers of connections, living and later ones, grow as `advise()` would have it; what was done is told by
   * `stats()` and by the diagnostics channel `nearwire:tune`. Default false. On `js` it takes the addon too, and does
   * nothing without; `stats().autoTune.because` says so.
   */
  autoTune?: boolean | AutoTuneOptions | undefined;
}

/** `nearwire:tune`: the send buffers of a server's connections have been changed. */
export interface TuneEvent {
  server: ToldServer;
  option: 'sendBuffer';
  /** As the kernel reads it back, of the middle of the connections. */
  before: number | undefined;
  after: number | undefined;
  /** Living connections whose buffer has become larger. */
  connections: number;
  /** What it rests on. */
  finding: Finding<SendEvidence>;
}

export const tunings = diagnostics.channel('nearwire:tune');

const DEFAULT_EVERY = 5000;
/** Node's own connections are looked at so often: a look at a thousand of them costs less than a millisecond. */
const LOOK_MILLIS = 250;
/** setTimeout's own limit. */
const MAX_EVERY = 2 ** 31 - 1;
const LEAST_BUFFER = 4096;
/** Buffers read back to tell what has come of it. */
const BUFFERS = 64;

type Server = net.Server | ChannelServer;

/** Throws unless this is what `autoTune` may be. */
export function checkAutoTune(value: unknown, name: string): asserts value is TuningOptions['autoTune'] {
  if (value === undefined || typeof value === 'boolean') return;
  if (typeof value !== 'object' || value === null) throw argTypeError(name, 'of type boolean or object', value);
  const { every, largest, memory } = value as Record<keyof AutoTuneOptions, unknown>;
  checkWhole(every, `${name}.every`, 1, MAX_EVERY);
  checkWhole(largest, `${name}.largest`, LEAST_BUFFER, LARGEST_SEND_BUFFER);
  checkWhole(memory, `${name}.memory`, LEAST_BUFFER, Number.MAX_SAFE_INTEGER);
}

/** How a server's buffers are changed. */
interface Buffers {
  /** Asks for so much on all connections, now and later. Answers how many living ones have more now. */
  raise(asked: number): number;
  /** The middle of what they read back. */
  readonly effective: number | undefined;
}

function nativeBuffers(server: Server): Buffers {
  const { tally } = counterFor(server);
  return {
    raise: (asked) => tally.raiseSendBuffer(asked),
    get effective() {
      return median(tally.sendBuffers(BUFFERS));
    },
  };
}

/** Those of node's own sockets, by their descriptors. */
function nodeBuffers(server: Server, addon: NonNullable<ReturnType<typeof addonStatus>['addon']>): Buffers {
  const find = findConnections(server);
  const option = addon.socketOptions().findIndex(({ name }) => name === 'sendBuffer');
  const read = (fd: number): number => (fd < 0 ? 0 : addon.getSocketOption(fd, option)[1]);
  const raiseOne = (fd: number, asked: number): boolean => {
    const before = read(fd);
    // Linux reads back the double of what is asked for.
    if (fd < 0 || before >= asked * (process.platform === 'linux' ? 2 : 1)) return false;
    return addon.setSocketOption(fd, option, asked)[1] > before;
  };
  let later = 0;
  counterFor(server).nodeConnections.onNote = (socket) => {
    if (later > 0) raiseOne(descriptorUnder(socket), later);
  };
  return {
    raise: (asked) => {
      later = asked;
      return [...find()].filter(({ fd }) => raiseOne(fd, asked)).length;
    },
    get effective() {
      const buffers = [...find()].slice(0, BUFFERS).map(({ fd }) => read(fd));
      return median(buffers.filter((bytes) => bytes > 0));
    },
  };
}

export class AutoTuner {
  private readonly every: number;
  private readonly largest: number;
  private readonly memory: number;
  private observer: Observer | undefined;
  private buffers: Buffers | undefined;
  private timers: NodeJS.Timeout[] = [];
  private asked = 0;
  private changes = 0;
  private because = 'nothing has been decided yet';

  constructor(
    private readonly server: Server,
    options: AutoTuneOptions,
  ) {
    this.every = options.every ?? DEFAULT_EVERY;
    this.largest = options.largest ?? LARGEST_TUNED_BUFFER;
    this.memory = options.memory ?? memoryForBuffers();
    counterFor(server).tuning = () => this.stats();
  }

  /** The server listens. */
  start(): void {
    this.stop();
    const { server } = this;
    const { addon, reason } = addonStatus();
    if (addon === undefined) {
      this.because = `autoTune needs the addon, which did not load: ${String(reason?.message)}`;
      return;
    }
    const { transport } = server as { transport?: unknown };
    this.buffers ??= transport === 'native' ? nativeBuffers(server) : nodeBuffers(server, addon);
    const observer = (this.observer = observerOf(server));
    observer.start();
    this.repeat(() => {
      this.decide();
    }, this.every);
    if (transport !== 'native') {
      this.repeat(
        () => {
          observer.look();
        },
        Math.min(LOOK_MILLIS, this.every),
      );
    }
  }

  private repeat(act: () => void, millis: number): void {
    const timer = setInterval(act, millis);
    // A server that is done keeps nobody waiting.
    timer.unref();
    this.timers.push(timer);
  }

  stop(): void {
    for (const timer of this.timers.splice(0)) clearInterval(timer);
  }

  private decide(): void {
    const { observer, buffers } = this;
    if (observer === undefined || buffers === undefined) return;
    const evidence = observer.stop();
    observer.start();
    if (evidence.bytesSent === 0) return;
    const { largest, memory } = this;
    const finding = adviseSendBuffer(evidence, { largest, memory, sendBuffer: sendBufferLimit() });
    this.because = finding.because;
    const { setting } = finding;
    // What has been asked for once and not been given, a limit of the system is in the way of.
    if (setting === undefined || !('sendBuffer' in setting) || setting.sendBuffer <= this.asked) return;
    this.apply(setting.sendBuffer, finding, buffers);
  }

  private apply(asked: number, finding: Finding<SendEvidence>, buffers: Buffers): void {
    const { server } = this;
    this.asked = asked;
    this.changes++;
    const connections = buffers.raise(asked);
    const { current: before } = finding;
    const event = {
      server: toldServer(server),
      option: 'sendBuffer',
      before,
      after: buffers.effective,
      connections,
      finding,
    } as const;
    if (tunings.hasSubscribers) tunings.publish(event satisfies TuneEvent);
  }

  private stats(): AutoTuneStats {
    const sendBuffer = this.asked === 0 ? undefined : this.asked;
    return { sendBuffer, effective: this.buffers?.effective, changes: this.changes, because: this.because };
  }
}

/** The tuner of a server, if the option asks for one. */
export function tunerFor(server: Server, autoTune: TuningOptions['autoTune']): AutoTuner | undefined {
  if (autoTune === undefined || autoTune === false) return undefined;
  return new AutoTuner(server, autoTune === true ? {} : autoTune);
}
