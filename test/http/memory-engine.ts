/** A server of nearwire's on an engine without a kernel. */
import { createServer } from 'nearwire/http';
import {
  acceptDelegateOf,
  addonStatus,
  Completion,
  Engine,
  runTicks,
  Shared,
  socketSettings,
  SUBMISSION_WORDS,
  type AcceptingListener,
  type NativeEngine,
} from 'nearwire/internal';
import type * as http from 'node:http';
import type * as net from 'node:net';
import { CONNECTION_COUNTERS, COMPLETION_WORDS, TURN_BEGAN_OFFSET } from '../../src/binding/words.js';
import { boundMethods } from '../../bench/micro/silent-engine.js';
import { createTelling, type Setting, type Talk } from './talk.js';
import type { MemoryServer, Wire } from './memory-wire.js';

/** Connections that are read in one turn, at most. */
const MOST_READ = 8;

const EBADF = -9;

interface Peer {
  readonly wire: Wire;
  reading: boolean;
  closed: boolean;
  read: number;
  written: number;
}

/** What an engine has of the kernel and the event loop. */
class MemoryEngine {
  readonly engine: Engine;
  private readonly real: NativeEngine;
  private readonly inbox: Uint8Array;
  private readonly arena: Buffer;
  private readonly turnBegan: Float64Array;
  private peers: Peer[] = [];
  private turn = (): void => undefined;
  private tellClosed = (): void => undefined;
  private closingWanted = false;

  constructor() {
    const { addon, reason } = addonStatus();
    if (!addon) throw reason ?? new Error('the addon did not load');
    this.real = addon.createEngine();
    const { inbox, arena, shared } = this.real.layout;
    this.inbox = new Uint8Array(inbox);
    this.arena = Buffer.from(arena);
    this.turnBegan = new Float64Array(shared.buffer, TURN_BEGAN_OFFSET, 1);
    this.engine = new Engine(Object.create({ ...boundMethods(this.real), ...this.overrides() }) as NativeEngine);
  }

  accept(wire: Wire): number {
    return this.peers.push({ wire, reading: true, closed: false, read: 0, written: 0 }) - 1;
  }

  /** What has come is read by some connections at a time, then what has closed is reported. */
  round(): boolean {
    let happened = false;
    for (let at = 0; at < this.peers.length; at += MOST_READ) {
      if (this.readSome(at, Math.min(this.peers.length, at + MOST_READ))) happened = true;
    }
    if (!this.closingWanted) return happened;
    this.closingWanted = false;
    this.tellClosed();
    runTicks();
    return true;
  }

  /** All connections must be closed. */
  forget(): void {
    if (this.peers.some(({ closed }) => !closed)) throw new Error('a connection is still open');
    this.peers = [];
  }

  private readSome(from: number, to: number): boolean {
    const { completions } = this.real.layout;
    let count = 0;
    let offset = 0;
    for (let id = from; id < to; id++) {
      const peer = this.peers[id];
      const data = peer?.reading === true && !peer.closed ? peer.wire.next() : undefined;
      if (peer === undefined || data === undefined) continue;
      if (data === null) {
        completions.set([id, Completion.End, 0, 0], COMPLETION_WORDS * count++);
        continue;
      }
      this.inbox.set(data, offset);
      completions.set([id, Completion.Inbox, offset, data.length], COMPLETION_WORDS * count++);
      offset += data.length;
      peer.read += data.length;
    }
    if (count > 0) this.take(count);
    return count > 0;
  }

  private take(completions: number): void {
    const { shared } = this.real.layout;
    this.turnBegan[0] = Number(process.hrtime.bigint()) / 1e6;
    shared[Shared.Completions] = completions;
    shared[Shared.InTurn] = 1;
    this.turn();
    runTicks();
    this.flush();
    shared[Shared.InTurn] = 0;
  }

  private flush(): number {
    const { shared, submissions } = this.real.layout;
    const count = shared[Shared.Submitted] as number;
    for (let at = 0; at < count * SUBMISSION_WORDS; at += SUBMISSION_WORDS) {
      const start = submissions[at + 1] as number;
      this.write(submissions[at] as number, this.arena.subarray(start, start + (submissions[at + 2] as number)));
    }
    shared[Shared.Submitted] = 0;
    return 0;
  }

  private write(id: number, bytes: Uint8Array): void {
    const peer = this.peers[id];
    if (peer === undefined || peer.closed) throw new Error('a write to a connection that is closed');
    peer.written += bytes.length;
    peer.wire.receive(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'));
  }

  private overrides(): Partial<NativeEngine> {
    return {
      setTurnHandler: (handler) => {
        this.turn = handler;
      },
      setClosingHandler: (handler) => {
        this.tellClosed = handler;
      },
      callWhenClosing: () => {
        this.closingWanted = true;
        return 0;
      },
      flush: () => this.flush(),
      writeLent: (id, parts) => {
        this.flush();
        for (const part of parts) this.write(id, part);
        return 0;
      },
      shutdown: (id) => {
        this.flush();
        this.peers[id]?.wire.finish();
        return 0;
      },
      close: (id, reset) => {
        const peer = this.peers[id];
        if (peer === undefined || peer.closed) return;
        peer.closed = true;
        peer.wire.close(reset);
      },
      setReading: (id, reading) => {
        const peer = this.peers[id];
        if (peer !== undefined) peer.reading = reading;
      },
      takeUnread: () => [],
      unread: () => 0,
      queued: () => 0,
      hasDrained: () => true,
      ref: () => undefined,
      setNoDelay: () => 0,
      setKeepAlive: () => 0,
      connectionCounters: (id) => {
        const peer = this.peers[id];
        if (peer === undefined) return EBADF;
        const counters = new Float64Array(CONNECTION_COUNTERS.length);
        counters.set([peer.read, peer.written]);
        return counters;
      },
    };
  }
}

let memory: MemoryEngine | undefined;

export class NearwireInMemory implements MemoryServer {
  private readonly memory = (memory ??= new MemoryEngine());
  private readonly take: (id: number) => boolean;

  /** `closeAll`: what it has open, whatever that has become. */
  constructor(
    server: http.Server,
    private readonly onConnecting: (wire: Wire) => void,
    private readonly closeAll: () => void,
  ) {
    const { engine } = this.memory;
    const listener: AcceptingListener = {
      engine,
      tcp: false,
      settings: socketSettings(engine, undefined),
      announce(admit, host, id) {
        admit(host, this, id);
      },
    };
    const delegate = acceptDelegateOf(server);
    this.take = (id) => delegate?.take(listener, id, false) === true;
  }

  connect(wire: Wire): void {
    this.onConnecting(wire);
    if (!this.take(this.memory.accept(wire))) throw new Error("requests are read by node's own code");
    runTicks();
  }

  round(): boolean {
    return this.memory.round();
  }

  clear(): void {
    this.closeAll();
    runTicks();
    this.round();
    this.memory.forget();
  }
}

/** One whose listeners tell the connection's talk. */
export function tellingNearwire(setting: Setting): MemoryServer {
  const talks = new Map<net.Socket, Talk>();
  let coming: Talk | undefined;
  const create = (...given: Parameters<typeof createServer>): ReturnType<typeof createServer> =>
    createServer({ ...(given[0] as object), transport: 'native' }, given[1]);
  const server = createTelling(create, setting, (socket) => talks.get(socket));
  server.on('connection', (socket: net.Socket) => {
    if (coming === undefined) throw new Error('nobody has connected');
    talks.set(socket, coming);
    coming.accept(socket);
    coming = undefined;
  });
  const onConnecting = ({ talk }: Wire): void => {
    coming = talk;
  };
  return new NearwireInMemory(server, onConnecting, () => {
    for (const socket of talks.keys()) socket.destroy();
    talks.clear();
  });
}
