/** How a native socket gets connected: arguments, name lookup, one attempt after another. */
import type { AsyncResource } from 'node:async_hooks';
import * as dns from 'node:dns';
import * as net from 'node:net';
import { constants } from 'node:os';
import { clearTimeout, setTimeout } from 'node:timers';
import {
  argTypeError,
  connectError,
  connectQueueFullError,
  connectTimeoutError,
  invalidFamilyError,
  invalidIpError,
  ipBlockedError,
  missingArgsError,
  outOfRangeError,
  type FailedEnds,
} from '../errors.js';
import { hasLine, Place } from '../connect-line.js';
import type { NativeAddress } from '../native.js';
import {
  checkBoolean,
  checkFunction,
  checkNoNul,
  checkNumber,
  checkPort,
  checkString,
  patienceOf,
  type ConnectPatience,
} from '../options.js';
import { channelOptions, type SocketOptions } from './socket-options.js';
import { SocketWire, type AttemptOwner } from './socket-wire.js';
import type { NativeSocket } from './socket.js';

/** Options of `connect()`, as `node:net` has them, and ours. */
export interface ConnectOptions extends SocketOptions, ConnectPatience {
  /** A UNIX socket. A leading NUL is an abstract name (Linux). */
  path?: string | undefined;
  port?: number | string | undefined;
  /** Default `localhost`. */
  host?: string | undefined;
  localAddress?: string | undefined;
  localPort?: number | undefined;
  /** 4, 6, or 0 for both. */
  family?: number | 'IPv4' | 'IPv6' | undefined;
  hints?: number | undefined;
  /** Default: `dns.lookup`. */
  lookup?: net.LookupFunction | undefined;
  /** Try the addresses of both families in turn. Default: `net.getDefaultAutoSelectFamily()`. */
  autoSelectFamily?: boolean | undefined;
  /** Milliseconds for each address before the next is tried. */
  autoSelectFamilyAttemptTimeout?: number | undefined;
  /** Idle timeout in milliseconds, from before the connection on. */
  timeout?: number | undefined;
}

interface Target {
  address: string;
  /** undefined: a path. */
  family: 4 | 6 | undefined;
}

/** The end to connect from, where the caller chose one. */
interface LocalEnd {
  host: string | undefined;
  port: number | undefined;
}

/** node takes shorter ones for this. */
const MIN_ATTEMPT_TIMEOUT = 10;

/** What the kernel answers when the local end can't be had, before anything is sent. */
const { EACCES, EADDRINUSE, EADDRNOTAVAIL, ECANCELED, EINVAL, ETIMEDOUT } = constants.errno;
const BIND_ERRORS = [-EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EINVAL];

/** Connects to the targets in turn, until one answers. */
class Attempts implements AttemptOwner {
  private readonly socket: NativeSocket;
  private readonly targets: readonly Target[];
  private readonly port: number | undefined;
  private readonly local: LocalEnd;
  /** Milliseconds for each of several addresses, or in the line for a path; 0: no such limit. */
  private readonly patience: number;
  private readonly errors: Error[] = [];
  private next = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    socket: NativeSocket,
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
    const options = channelOptions(socket._settings, !reading);
    const waits = family === undefined && this.patience > 0;
    const id = waits
      ? engine.prepareConnect(this.nativeAddress(target), options)
      : engine.connect(this.nativeAddress(target), options);
    if (id < 0) {
      this.failSoon(target, id);
      return;
    }
    const wire = new SocketWire(engine, id, socket, socket._scope as AsyncResource, family !== undefined, reading);
    socket._onread?.begin(wire);
    wire.attempt = this;
    socket._wire = wire;
    this.tellAttempt(target);
    if (!socket.connecting) return;
    if (waits) this.standInLine(wire, target);
    if (this.targets.length > 1) socket.autoSelectFamilyAttemptedAddresses.push(`${address}:${String(port)}`);
    if (this.next < this.targets.length) this.timer = setTimeout(giveNextATurn, this.patience, this, wire, target);
  }

  private standInLine(wire: SocketWire, target: Target): void {
    // Nearly all are through here.
    if (!hasLine(target.address) && wire.engine.tryConnect(wire.id) === 'settled') return;
    const place = new Place(target.address, this.patience, {
      tryOnce: () => wire.engine.tryConnect(wire.id),
      giveUp: (waited) => {
        const error = connectQueueFullError(target.address, waited);
        wire.scope.runInAsyncScope(() => {
          this.failedWith(target, error);
        });
      },
    });
    if (this.socket._unreferenced) place.setRef(false);
    wire.place = place;
    place.wait();
  }

  private tellAttempt({ address, family }: Target): void {
    const { socket, port } = this;
    if (socket.listenerCount('connectionAttempt') > 0) socket.emit('connectionAttempt', address, port, family);
  }

  /** The kernel has refused at once. No listener of 'error' runs inside connect(). */
  private failSoon(target: Target, errno: number): void {
    const { socket } = this;
    const syscall = BIND_ERRORS.includes(errno) && this.hasLocalEnd() ? 'bind' : 'connect';
    // A local end that can't be had is no attempt yet.
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

  attemptDone(wire: SocketWire, status: number): void {
    clearTimeout(this.timer);
    const { socket } = this;
    if (status === 0) {
      socket._connected();
      return;
    }
    const target = this.targets[this.next - 1] as Target;
    // The last one's is closed by the socket's end.
    if (this.targets.length > 1) wire.closeNow(false);
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

  /** The only target is out of reach. */
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

  /** An address has not answered in its time: on to the next. */
  timedOut(wire: SocketWire, target: Target): void {
    const { socket, port } = this;
    if (!socket.connecting || wire.attempt !== this) return;
    socket.emit('connectionAttemptTimeout', target.address, port, target.family);
    this.errors.push(this.errorOf(target, -ETIMEDOUT, 'connect'));
    wire.closeNow(false);
    this.goOn();
  }

  /** The next attempt, unless a listener has destroyed the socket. */
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

function giveNextATurn(attempts: Attempts, wire: SocketWire, target: Target): void {
  wire.scope.runInAsyncScope(() => {
    attempts.timedOut(wire, target);
  });
}

/** Checks the options as node:net does and starts to connect. What fails from here on is told by 'error'. */
export function startConnecting(socket: NativeSocket, options: ConnectOptions): void {
  const { path, port }: { path?: unknown; port?: unknown } = options;
  if (port === undefined && (path === undefined || path === null)) {
    throw missingArgsError('The "options" or "port" or "path" argument must be specified');
  }
  if (path) {
    checkString(path, 'options.path');
    const patience = patienceOf(options);
    socket._begin();
    const attempts = new Attempts(socket, [{ address: path, family: undefined }], undefined, NO_LOCAL_END, patience);
    attempts.start();
    return;
  }
  const plan = checkTcpOptions(options);
  patienceOf(options);
  socket._begin();
  if (net.isIP(plan.host) === 0) {
    lookUp(socket, plan);
    return;
  }
  const target = { address: plan.host, family: net.isIPv4(plan.host) ? 4 : 6 } as const;
  process.nextTick(startUnlessClosed, socket, new Attempts(socket, [target], plan.port, plan.local, 0));
}

function startUnlessClosed(socket: NativeSocket, attempts: Attempts): void {
  if (socket.connecting) attempts.start();
}

const NO_LOCAL_END: LocalEnd = { host: undefined, port: undefined };

interface TcpPlan {
  host: string;
  port: number;
  local: LocalEnd;
  lookup: net.LookupFunction;
  dnsOptions: dns.LookupOptions;
  /** Try all addresses, each for `patience` milliseconds. */
  all: boolean;
  patience: number;
}

function checkTcpOptions(options: ConnectOptions): TcpPlan {
  const host: unknown = options.host || 'localhost';
  checkString(host, 'options.host');
  checkNoNul(host, 'options.host');
  const { localAddress, localPort, port } = options;
  const lookup: unknown = options.lookup;
  if (localAddress && net.isIP(localAddress) === 0) throw invalidIpError(localAddress);
  if (localPort) checkNumber(localPort, 'options.localPort');
  if (typeof port !== 'number' && typeof port !== 'string') {
    throw argTypeError('options.port', 'one of type number or string', port);
  }
  const checkedPort = checkPort(port, 'Port');
  if (lookup !== undefined && lookup !== null && net.isIP(host) === 0) checkFunction(lookup, 'options.lookup');
  const dnsOptions = lookupOptions(options);
  const { autoSelect, patience } = familySelection(options);
  return {
    host,
    port: checkedPort,
    local: { host: localAddress || undefined, port: localPort || undefined },
    lookup: options.lookup ?? dns.lookup,
    dnsOptions,
    all: autoSelect && !localAddress && dnsOptions.family !== 4 && dnsOptions.family !== 6,
    patience,
  };
}

function familySelection(options: ConnectOptions): { autoSelect: boolean; patience: number } {
  const { autoSelectFamily }: { autoSelectFamily?: unknown } = options;
  const { autoSelectFamilyAttemptTimeout: timeout }: { autoSelectFamilyAttemptTimeout?: unknown } = options;
  if (autoSelectFamily !== undefined && autoSelectFamily !== null) {
    checkBoolean(autoSelectFamily, 'options.autoSelectFamily');
  }
  const autoSelect = autoSelectFamily ?? net.getDefaultAutoSelectFamily();
  if (timeout === undefined || timeout === null) {
    return { autoSelect, patience: net.getDefaultAutoSelectFamilyAttemptTimeout() };
  }
  const name = 'options.autoSelectFamilyAttemptTimeout';
  checkNumber(timeout, name);
  if (!Number.isInteger(timeout)) throw outOfRangeError(name, 'an integer', timeout);
  if (timeout < 1 || timeout > 2 ** 31 - 1) throw outOfRangeError(name, '>= 1 && <= 2147483647', timeout);
  return { autoSelect, patience: Math.max(timeout, MIN_ATTEMPT_TIMEOUT) };
}

function lookupOptions({ family: asked, hints = 0 }: ConnectOptions): dns.LookupOptions {
  const family = asked === 'IPv4' ? 4 : asked === 'IPv6' ? 6 : asked;
  return { family, hints: family !== 4 && family !== 6 && hints === 0 ? dns.ADDRCONFIG : hints };
}

/** Resolves the name, tells of it with 'lookup', and connects to what came of it. */
function lookUp(socket: NativeSocket, plan: TcpPlan): void {
  const { host, lookup, dnsOptions, all } = plan;
  const options = all ? { ...dnsOptions, all: true } : dnsOptions;
  lookup(host, options, (error, found, family) => {
    const failure = all ? undefined : [found, family];
    if (!all || error) socket.emit('lookup', error, ...(failure ?? [undefined, undefined]), host);
    if (!socket.connecting) return;
    if (error) {
      failLater(socket, error);
      return;
    }
    const list: dns.LookupAddress[] = Array.isArray(found) ? found : [{ address: found, family: family as number }];
    if (all && !tellEach(socket, list, host)) return;
    connectToFound(socket, plan, list);
  });
}

/** Emits 'lookup' for each address; false if a listener destroyed the socket. */
function tellEach(socket: NativeSocket, list: readonly dns.LookupAddress[], host: string): boolean {
  for (const { address, family } of list) {
    socket.emit('lookup', null, address, family, host);
    if (!socket.connecting) return false;
  }
  return true;
}

function connectToFound(socket: NativeSocket, plan: TcpPlan, list: readonly dns.LookupAddress[]): void {
  const targets = inTurns(list.filter(isUsable));
  const [first] = list;
  if (targets.length === 0) {
    const { address, family } = first ?? { address: undefined, family: undefined };
    const known = typeof address === 'string' && net.isIP(address) !== 0;
    failLater(socket, known ? invalidFamilyError(family, plan.host, plan.port) : invalidIpError(address));
    return;
  }
  if (targets.length > 1) socket.autoSelectFamilyAttemptedAddresses = [];
  socket._idle?.touch();
  const patience = targets.length > 1 ? plan.patience : 0;
  new Attempts(socket, targets, plan.port, plan.local, patience).start();
}

function isUsable(found: dns.LookupAddress): found is Target & { family: 4 | 6 } {
  return net.isIP(found.address) !== 0 && (found.family === 4 || found.family === 6);
}

/** Each address once, the families taking turns, the first one's first. */
function inTurns(found: readonly (Target & { family: 4 | 6 })[]): Target[] {
  const seen = new Set<string>();
  const fresh = found.filter(({ address }) => !seen.has(address) && seen.add(address));
  const mine = fresh.filter(({ family }) => family === fresh[0]?.family);
  const others = fresh.filter(({ family }) => family !== fresh[0]?.family);
  const result: Target[] = [];
  for (let i = 0; i < Math.max(mine.length, others.length); i++) {
    for (const target of [mine[i], others[i]]) if (target !== undefined) result.push(target);
  }
  return result;
}

function failLater(socket: NativeSocket, error: Error): void {
  process.nextTick(() => {
    socket.destroy(error);
  });
}
