/** A report on a UNIX listener at one moment: its file, owner, queue and connections. */
import { realpathSync, statSync } from 'node:fs';
import { addonStatus, type NativeUnixSocket } from '../binding/addon.js';
import { noteDepth } from '../tune/high-water.js';
import { listedUnixSockets } from '../tune/proc-net-unix.js';
import { socketsNamed } from '../tune/socket-name.js';
import { findUnixListener, unixSockets } from '../tune/unix-listener.js';
import { groupName, userName } from './names.js';
import { socketHolders, type ProcessInfo, type SocketHolders } from './processes.js';

export interface ReportedFile {
  /** The path with its links resolved. */
  path: string;
  /** Permission bits, in octal: `0666`. */
  mode: string;
  uid: number;
  gid: number;
  user: string;
  group: string;
}

export interface ReportedQueue {
  queued: number;
  backlog: number;
  /** The longest queue seen since this command started. */
  highWater: number;
  /** The next connect fails (EAGAIN), or waits. */
  full: boolean;
}

export interface ReportedConnection {
  /** Bytes buffered for the server, which it has not read. */
  toServer: number | undefined;
  /** Bytes from the server that the client has not read. Undefined once the client is gone. */
  toClient: number | undefined;
  /** The processes that hold the client's end. Empty: gone, or not visible to this user. */
  client: readonly ProcessInfo[];
}

export interface WaitingClient {
  /** As in `ReportedConnection`. */
  client: readonly ProcessInfo[];
  connections: number;
}

export interface ListenerReport {
  /** ISO 8601, UTC. */
  at: string;
  /** As given by the caller. */
  name: string;
  /** The name that the socket was bound to. */
  boundAs: string | undefined;
  /** Undefined for an abstract name, or if the file is not accessible. */
  file: ReportedFile | undefined;
  /** The processes that hold the listening socket. Undefined if the system does not report them. */
  owners: readonly ProcessInfo[] | undefined;
  /** Other users' processes that this user may not examine: owners and clients may be among them. */
  hiddenProcesses: number;
  /** Undefined if the system does not report it; `queueUnknown` has the reason. */
  queue: ReportedQueue | undefined;
  queueUnknown: string | undefined;
  /**
   * The clients whose connections are in the queue. Undefined if not reported, as for queues of more than about a
   * thousand.
   */
  waiting: readonly WaitingClient[] | undefined;
  connections: readonly ReportedConnection[];
}

/** A scan of all processes is reused for this long, as it is most of a report's cost. */
const HOLDERS_MILLIS = 2000;

/**
 * Makes reports of one listener. Every report throws what `listenQueue` throws, but includes a refusal instead of
 * throwing it.
 */
export class ListenerReporter {
  private readonly name: string;
  private holders: SocketHolders | undefined;
  private holdersOf: string | undefined;
  private holdersAt = -Infinity;

  constructor(name: string) {
    this.name = name;
  }

  report(): ListenerReport {
    const { name } = this;
    const listener = this.find();
    if (listener.refusal !== undefined) return this.reportListed(listener.refusal);
    const { socket } = listener;
    const { id, cookie, queued = 0, backlog = 0 } = socket;
    const all = unixSockets(false);
    this.look(id);
    return {
      ...this.frame(socket.name),
      name,
      owners: this.holders?.holders.get(id) ?? (this.holders === undefined ? undefined : []),
      queue: { queued, backlog, highWater: noteDepth(cookie, queued), full: queued > backlog },
      queueUnknown: undefined,
      waiting: this.waitingAt(id),
      connections: this.connectionsAmong(this.acceptedBy(socket, all), all),
    };
  }

  private find(): { socket: NativeUnixSocket; refusal: undefined } | { refusal: Error } {
    try {
      return { socket: findUnixListener(this.name), refusal: undefined };
    } catch (error) {
      const { code, listening } = error as NodeJS.ErrnoException & { listening?: boolean };
      const refused = code === 'ERR_NEARWIRE_DIAG_REFUSED' && listening === true;
      if (refused || code === 'ERR_NEARWIRE_NO_ADDON') return { refusal: error as Error };
      throw error;
    }
  }

  /** What /proc reports if the kernel refuses the diagnosis: the owners, and the number of connections. */
  private reportListed(refusal: Error): ListenerReport {
    const named = socketsNamed(this.name, listedUnixSockets() ?? []);
    const listener = named.find(({ listening }) => listening);
    if (listener === undefined) throw refusal;
    this.look(listener.inode);
    return {
      ...this.frame(listener.name),
      owners: this.holders?.holders.get(listener.inode) ?? [],
      queue: undefined,
      queueUnknown: refusal.message,
      waiting: undefined,
      connections: named
        .filter(({ listening }) => !listening)
        .map(() => ({ toServer: undefined, toClient: undefined, client: [] })),
    };
  }

  private frame(
    boundAs: string | undefined,
  ): Pick<ListenerReport, 'at' | 'name' | 'boundAs' | 'file' | 'hiddenProcesses'> {
    const { name } = this;
    const at = new Date().toISOString();
    return { at, name, boundAs, file: fileOf(name), hiddenProcesses: this.holders?.hidden ?? 0 };
  }

  private look(listener: string): void {
    const now = performance.now();
    if (this.holdersOf === listener && now - this.holdersAt < HOLDERS_MILLIS) return;
    this.holders = socketHolders();
    this.holdersOf = listener;
    this.holdersAt = now;
  }

  private holdersOfSocket(id: string | undefined): readonly ProcessInfo[] {
    return id === undefined ? [] : (this.holders?.holders.get(id) ?? []);
  }

  private waitingAt(id: string): WaitingClient[] | undefined {
    const waiting = addonStatus().addon?.waitingClients(id);
    if (waiting === undefined || typeof waiting === 'number') return undefined;
    const clients = new Map<string, WaitingClient>();
    for (const socket of waiting) {
      const client = this.holdersOfSocket(socket);
      const key = client.map(({ pid }) => pid).join();
      const known = clients.get(key);
      if (known === undefined) clients.set(key, { client, connections: 1 });
      else known.connections++;
    }
    return [...clients.values()];
  }

  /** Accepted sockets have the name and file of their listener. */
  private acceptedBy(listener: NativeUnixSocket, all: readonly NativeUnixSocket[]): NativeUnixSocket[] {
    const accepted = all.filter(({ listening }) => !listening);
    const file = listener.file;
    if (file === undefined) return accepted.filter(({ name }) => name !== undefined && name === listener.name);
    return accepted.filter((socket) => socket.file?.every((part, i) => part === file[i]) === true);
  }

  private connectionsAmong(
    accepted: readonly NativeUnixSocket[],
    all: readonly NativeUnixSocket[],
  ): ReportedConnection[] {
    const byId = new Map(all.map((socket) => [socket.id, socket]));
    return accepted.map(({ queued, peer }) => ({
      toServer: queued,
      toClient: peer === undefined ? undefined : byId.get(peer)?.queued,
      client: this.holdersOfSocket(peer),
    }));
  }
}

function fileOf(name: string): ReportedFile | undefined {
  if (name.startsWith('\0')) return undefined;
  try {
    const { mode, uid, gid } = statSync(name);
    const bits = (mode & 0o7777).toString(8).padStart(4, '0');
    return { path: realpathSync(name), mode: bits, uid, gid, user: userName(uid), group: groupName(gid) };
  } catch {
    return undefined;
  }
}
