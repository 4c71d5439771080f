/**
 * The primary's side of the balance among workers: it owns the memory in which the workers of a socket publish their
 * connection counts, and assigns the places in it.
 */
import type { Worker } from 'node:cluster';
import { Socket } from 'node:net';
import { addonStatus, BALANCE_PLACES, type NativeBalance } from '../binding/addon.js';
import { QUERY, type PlaceMessage } from './messages.js';
import { handleOf } from '../node/handles.js';
import { sendPlainHandle } from '../node/plain-handle.js';

/** Keeps the packet that carries the memory until it has been sent or the worker has exited. */
interface Seated {
  place: number;
  packet: Socket;
}

function freshMemory(): NativeBalance | undefined {
  const memory = addonStatus().addon?.createBalance();
  return memory?.open() === 0 ? memory : undefined;
}

export class Places {
  /** Undefined where the system does not support it: workers then accept without balancing. */
  private readonly memory = freshMemory();
  private readonly seated = new Map<Worker, Seated>();

  /**
   * Gives the worker a place, if one is free, and sends it the memory. Call it before sending the socket that answers
   * the worker's query.
   */
  seat(worker: Worker, seq: number): void {
    if (this.memory === undefined || this.seated.has(worker)) return;
    const taken = new Set([...this.seated.values()].map(({ place }) => place));
    const place = Array.from({ length: BALANCE_PLACES }, (_, index) => index).find((index) => !taken.has(index));
    const fd = place === undefined ? -1 : this.memory.pack();
    if (place === undefined || fd < 0) return;
    const packet = new Socket({ fd, readable: false });
    this.seated.set(worker, { place, packet });
    const message: PlaceMessage = { cmd: QUERY, act: 'place', seq, place };
    sendPlainHandle(worker, message, handleOf(packet), () => packet.destroy());
  }

  /** The worker, or its server, is gone. */
  vacate(worker: Worker): void {
    const seated = this.seated.get(worker);
    if (seated === undefined) return;
    this.seated.delete(worker);
    this.memory?.vacate(seated.place);
    seated.packet.destroy();
  }

  /** No worker shares the socket any longer. */
  close(): void {
    this.memory?.close();
  }
}
