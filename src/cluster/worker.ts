/** A cluster's worker: has its native servers share the primary's listening sockets, instead of being passed connections. */
import cluster from 'node:cluster';
import type * as net from 'node:net';
import { isMessage, PRIMARY_VARIABLE, CLUSTER, QUERY, type Query } from './messages.js';

type GetServer = (server: net.Server, options: { addressType: number | null }, callback: unknown) => void;

/** Says whether this server is to listen natively at an address of this kind. */
export type ListensNatively = (server: net.Server, addressType: number | null) => boolean;

const natives = new Set<ListensNatively>();

/** Within this call what node's cluster asks the primary's cluster is asked of ours. */
function askingOurs(act: () => void): void {
  const { send } = process;
  if (send === undefined) {
    act();
    return;
  }
  process.send = function (message: unknown, ...rest: unknown[]) {
    const query = isMessage<Query>(message, CLUSTER, 'queryServer') ? { ...message, cmd: QUERY } : message;
    return Reflect.apply(send, process, [query, ...rest]) as boolean;
  };
  try {
    act();
  } finally {
    process.send = send;
  }
}

/** Has servers of which `listensNatively` holds share their sockets, where `installWorker` has been called. */
export function shareInCluster(listensNatively: ListensNatively): void {
  natives.add(listensNatively);
}

/** Has native servers ask for a shared socket, if this process is a worker of a primary that takes part. */
export function installWorker(): void {
  if (!cluster.isWorker || process.env[PRIMARY_VARIABLE] !== String(process.ppid)) return;
  const getServer = Reflect.get(cluster, '_getServer') as GetServer;
  const patched: GetServer = (server, options, callback) => {
    const ask = (): void => {
      getServer(server, options, callback);
    };
    if ([...natives].some((isNative) => isNative(server, options.addressType))) askingOurs(ask);
    else ask();
  };
  Reflect.set(cluster, '_getServer', patched);
}
