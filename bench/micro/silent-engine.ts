/**
 * An engine without a kernel: its connects never complete, what it sends is discarded, and what its connections read is
 * what they are given here.
 */
import { Engine } from 'nearwire/internal';
import {
  addonStatus,
  Completion,
  Shared,
  SUBMISSION_WORDS,
  TURN_BEGAN_OFFSET,
  type NativeEngine,
} from 'nearwire/internal';

export interface SilentEngine {
  readonly engine: Engine;
  /** The id of a connection that has come from nowhere. */
  accept(): number;
  /** A turn in which this connection has read the bytes. */
  read(id: number, data: Uint8Array, completion: 'Inbox' | 'Lent'): void;
  /** Bytes that would have been handed to the kernel so far. */
  taken(): number;
}

/** Milliseconds: little against the timeouts of a server. */
const TIME_GRAIN = 100;

export function createSilentEngine(): SilentEngine {
  const { addon, reason } = addonStatus();
  if (!addon) throw reason ?? new Error('the addon did not load');
  const real = addon.createEngine();
  const { shared, submissions, completions, inbox } = real.layout;
  const turnBegan = new Float64Array(shared.buffer, TURN_BEGAN_OFFSET, 1);
  // The addon sets it for each turn; here that would be part of what is measured. Without it connections would count as
  // resting since the start.
  const setTime = (): void => {
    turnBegan[0] = Number(process.hrtime.bigint()) / 1e6;
  };
  setTime();
  setInterval(setTime, TIME_GRAIN).unref();
  let connections = 0;
  let bytes = 0;
  let turn = (): void => undefined;
  const overrides: Partial<NativeEngine> = {
    setTurnHandler(handler) {
      turn = handler;
    },
    connect: () => connections++,
    close: () => undefined,
    unread: () => 0,
    flush() {
      const count = shared[Shared.Submitted] ?? 0;
      for (let at = 0; at < count; at++) bytes += submissions[at * SUBMISSION_WORDS + 2] ?? 0;
      shared[Shared.Submitted] = 0;
      return 0;
    },
  };
  // As a prototype it has V8's fast properties, as the engine's own methods have.
  const native = Object.create({ ...boundMethods(real), ...overrides }) as NativeEngine;
  const memory = { Inbox: new Uint8Array(inbox), Lent: new Uint8Array(real.lentMemory()) };
  return {
    engine: new Engine(native),
    accept: () => connections++,
    read(id, data, completion) {
      memory[completion].set(data);
      completions.set([id, Completion[completion], 0, data.length]);
      shared[Shared.Completions] = 1;
      shared[Shared.InTurn] = 1;
      turn();
      shared[Shared.InTurn] = 0;
    },
    taken: () => bytes,
  };
}

/** As a plain object, so that a call costs about what it costs on the engine itself; a Proxy's costs more than most. */
export function boundMethods(real: NativeEngine): NativeEngine {
  const names = [real, Object.getPrototypeOf(real) as object].flatMap((owner) => Object.getOwnPropertyNames(owner));
  const members = (names as (keyof NativeEngine)[]).map((name) => {
    const member = real[name] as unknown;
    return [name, typeof member === 'function' ? (member.bind(real) as unknown) : member];
  });
  return Object.fromEntries(members) as NativeEngine;
}
