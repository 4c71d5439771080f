/** How a native socket connects: the arguments of connect(), and name resolution. */
import type * as dns from 'node:dns';
import * as net from 'node:net';
import {
  argTypeError,
  invalidFamilyError,
  invalidIpError,
  missingArgsError,
  outOfRangeError,
} from '../errors/index.js';
import {
  checkBoolean,
  checkFunction,
  checkNoNul,
  checkNumber,
  checkPort,
  checkString,
  patienceOf,
  type BacklogOptions,
} from '../config/options.js';
import { nodeDns } from '../runtime/modules.js';
import { Attempts, type ConnectingSocket, type LocalEnd, type Target } from './attempts.js';
import type { SocketOptions } from './socket-options.js';

/** Options of `connect()`: those of `node:net`, and nearwire's own. */
export interface ConnectOptions extends SocketOptions, BacklogOptions {
  /** A UNIX socket. A leading NUL is an abstract name (Linux). */
  path?: string | undefined;
  /** A TCP port, 0 to 65,535. Without `path` it is needed. */
  port?: number | string | undefined;
  /** Default `localhost`. */
  host?: string | undefined;
  /** The local address to connect from. Default: the system chooses. */
  localAddress?: string | undefined;
  /** The local port to connect from. Default: the system chooses. */
  localPort?: number | undefined;
  /** 4, 6, or 0 for both. */
  family?: number | 'IPv4' | 'IPv6' | undefined;
  /** Flags of `dns.lookup`. Default 0. */
  hints?: number | undefined;
  /** Default: `dns.lookup`. */
  lookup?: net.LookupFunction | undefined;
  /** Try the addresses of both families alternately. Default: `net.getDefaultAutoSelectFamily()`. */
  autoSelectFamily?: boolean | undefined;
  /** Milliseconds for each address before the next is tried. */
  autoSelectFamilyAttemptTimeout?: number | undefined;
  /** Idle timeout in milliseconds, which starts before the socket is connected. */
  timeout?: number | undefined;
}

/** Node raises shorter ones to this. */
const MIN_ATTEMPT_TIMEOUT = 10;

/** Checks the options as node:net does and starts to connect. Later failures are emitted as 'error'. */
export function startConnecting(socket: ConnectingSocket, options: ConnectOptions): void {
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

function startUnlessClosed(socket: ConnectingSocket, attempts: Attempts): void {
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
    lookup: options.lookup ?? nodeDns().lookup,
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
  return { family, hints: family !== 4 && family !== 6 && hints === 0 ? nodeDns().ADDRCONFIG : hints };
}

/** Resolves the name, emits 'lookup', and connects to the result. */
function lookUp(socket: ConnectingSocket, plan: TcpPlan): void {
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
function tellEach(socket: ConnectingSocket, list: readonly dns.LookupAddress[], host: string): boolean {
  for (const { address, family } of list) {
    socket.emit('lookup', null, address, family, host);
    if (!socket.connecting) return false;
  }
  return true;
}

function connectToFound(socket: ConnectingSocket, plan: TcpPlan, list: readonly dns.LookupAddress[]): void {
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

/** Each address once, alternating between the families, starting with that of the first address. */
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

function failLater(socket: ConnectingSocket, error: Error): void {
  process.nextTick(() => {
    socket.destroy(error);
  });
}
