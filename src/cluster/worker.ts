/** A cluster's worker: its native servers share the primary's listening sockets instead of being passed connections. */
import type * as net from 'node:net';
import { addonStatus, type NativeBalance } from '../binding/addon.js';
import { nodeCluster } from '../runtime/modules.js';
import { isMessage, PRIMARY_VARIABLE, CLUSTER, QUERY, type PlaceMessage, type Query } from './messages.js';

type Answered = (errno: number, handle: unknown, ...more: unknown[]) => void;
type GetServer = (server: net.Server, options: { addressType: number | null }, callback: Answered) => void;

/** A place among the workers that share a socket: see native/balance.h. */
export interface Place {
  balance: NativeBalance;
  place: number;
}

/** Whether this server is to listen natively on an address of this kind. */
export type ListensNatively = (server: net.Server, addressType: number | null) => boolean;

const natives = new Set<ListensNatively>();

/** Places received from the primary before their sockets, by the number of the query. */
const places = new Map<number, Place>();
/** The same places once their sockets have arrived, by handle. */
const placesOfHandles = new WeakMap<object, Place>();

/** The place that came with a socket's handle. undefined: accept without balancing. */
export function placeOf(handle: object): Place | undefined {
  return placesOfHandles.get(handle);
}

function takePlace(message: unknown, packet: unknown): void {
  if (!isMessage<PlaceMessage>(message, QUERY, 'place') || packet === undefined) return;
  const { fd, close } = packet as { fd: number; close: () => void };
  const balance = addonStatus().addon?.createBalance();
  if (balance?.unpack(fd) === 0) places.set(message.seq, { balance, place: message.place });
  close.call(packet);
}

/** During `act`, sends node's cluster query to our primary's code instead of node's. Returns the query's number. */
function askingOurs(act: () => void): number | undefined {
  const { send } = process;
  let seq: number | undefined;
  if (send === undefined) {
    act();
    return seq;
  }
  process.send = function (message: unknown, ...rest: unknown[]) {
    if (!isMessage<Query>(message, CLUSTER, 'queryServer')) {
      return Reflect.apply(send, process, [message, ...rest]) as boolean;
    }
    seq = message.seq;
    return Reflect.apply(send, process, [{ ...message, cmd: QUERY } satisfies Query, ...rest]) as boolean;
  };
  try {
    act();
  } finally {
    process.send = send;
  }
  return seq;
}

/**
 * Makes the servers for which `listensNatively` returns true share their sockets, once `installWorker` has been called.
 */
export function shareInCluster(listensNatively: ListensNatively): void {
  natives.add(listensNatively);
}

/** Makes native servers request a shared socket, if this process is a worker of a primary that supports it. */
export function installWorker(): void {
  if (process.env[PRIMARY_VARIABLE] !== String(process.ppid)) return;
  const cluster = nodeCluster();
  if (!cluster.isWorker) return;
  const getServer = Reflect.get(cluster, '_getServer') as GetServer;
  const patched: GetServer = (server, options, callback) => {
    if (![...natives].some((isNative) => isNative(server, options.addressType))) {
      getServer(server, options, callback);
      return;
    }
    const seq = askingOurs(() => {
      getServer(server, options, answered);
    });
    function answered(errno: number, handle: unknown, ...more: unknown[]): void {
      const place = seq === undefined ? undefined : places.get(seq);
      if (seq !== undefined) places.delete(seq);
      if (place !== undefined && typeof handle === 'object' && handle !== null) placesOfHandles.set(handle, place);
      callback(errno, handle, ...more);
    }
  };
  process.on('internalMessage', takePlace);
  Reflect.set(cluster, '_getServer', patched);
}
