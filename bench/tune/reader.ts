/**
 * The reading process of a round. For each cell it opens a connection of its own, asks for responses and takes the times.
 * It is the same for all subjects: node:net with one buffer that it reads into over and over, as a proxy would.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { tell } from '../work/control.js';
import { ClosedLoop } from '../work/loop.js';
import { pattern, verify } from '../work/pattern.js';
import type { Target } from '../work/words.js';
import { STALL_MS } from './model.js';
import { ASK, decodeReport, REPORT_BYTES, requestFor, type Report } from './protocol.js';

/** What a cell is asked for with, one JSON line each. */
export interface CellOrder {
  readonly target: Target;
  readonly bytes: number;
  /** Of one response after the other, and of throughput. */
  readonly seconds: number;
  readonly warmup: number;
}

/** What it tells. */
export interface CellReading {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpu: number;
  readonly held: number;
  readonly set: number;
  readonly effective: number;
}

const MIB = 1024 * 1024;
/** nginx's eight buffers of 8 KiB; node's own reads are as long. */
const READ_BYTES = 64 * 1024;
/** How much is asked for in advance when throughput is measured: as much as keeps the sender from waiting for requests. */
const AHEAD_BYTES = MIB;
const MOST_AHEAD = 64;
const LEAST_AHEAD = 2;
/** How often the reader begins late. */
const STALLS = 3;
/** Of the measured time; the rest is for latency. */
const SHARE_OF_THROUGHPUT = 0.6;

/** One connection: what comes in goes to whoever has asked. */
class Conversation {
  private readonly socket: Socket;
  private take: (bytes: Buffer, length: number) => void = () => undefined;

  constructor(target: Target) {
    const onread = {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback: (length: number, bytes: Uint8Array): boolean => {
        this.take(bytes as Buffer, length);
        return true;
      },
    };
    this.socket = connect({ ...target, onread, noDelay: true });
    this.socket.on('error', fail).on('end', () => {
      fail(new Error('the server closed the connection'));
    });
  }

  async opened(): Promise<void> {
    await once(this.socket, 'connect');
  }

  ask(kind: (typeof ASK)[keyof typeof ASK], bytes: number, times = 1): void {
    const request = requestFor(kind, bytes);
    this.socket.write(times === 1 ? request : Buffer.concat(Array.from({ length: times }, () => request)));
  }

  /** The next so many bytes, as they come. */
  receive(bytes: number, each: (piece: Buffer, length: number, at: number) => void): Promise<void> {
    return new Promise((resolve) => {
      let at = 0;
      this.take = (piece, length) => {
        if (at + length > bytes) fail(new Error(`more came than the ${String(bytes)} bytes that were asked for`));
        each(piece, length, at);
        at += length;
        if (at === bytes) resolve();
      };
    });
  }

  /** All that comes from now on is counted by a loop. */
  countedBy(loop: ClosedLoop): void {
    this.take = (_piece, length) => {
      loop.came(length);
    };
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  async close(): Promise<void> {
    this.socket.removeAllListeners('end').destroy();
    if (!this.socket.closed) await once(this.socket, 'close');
  }
}

async function report(conversation: Conversation): Promise<Report> {
  const bytes = Buffer.alloc(REPORT_BYTES);
  const received = conversation.receive(REPORT_BYTES, (piece, length, at) => piece.copy(bytes, at, 0, length));
  conversation.ask(ASK.report, 0);
  await received;
  return decodeReport(bytes);
}

/** Asks, and does not read for a while, on a connection whose buffer has had no reason to grow yet. */
async function stall(conversation: Conversation, bytes: number): Promise<void> {
  for (let left = STALLS; left > 0; left--) {
    const received = conversation.receive(bytes, () => undefined);
    conversation.pause();
    conversation.ask(ASK.held, bytes);
    await delay(STALL_MS);
    conversation.resume();
    await received;
  }
}

/** A response byte for byte: those that are measured are only counted. */
async function compareOnce(conversation: Conversation, expected: Buffer): Promise<void> {
  const received = conversation.receive(expected.length, (piece, length, at) => {
    verify(expected, at, piece, 0, length);
  });
  conversation.ask(ASK.response, expected.length);
  await received;
}

async function readCell({ target, bytes, seconds, warmup }: CellOrder): Promise<CellReading> {
  const conversation = new Conversation(target);
  await conversation.opened();
  const first = await report(conversation);
  await stall(conversation, bytes);
  await compareOnce(conversation, expectedOf(bytes));
  const send = (responses: number): void => {
    conversation.ask(ASK.response, bytes, responses);
  };
  const window = Math.min(MOST_AHEAD, Math.max(LEAST_AHEAD, Math.ceil(AHEAD_BYTES / bytes)));
  const many = new ClosedLoop(bytes, window, send);
  conversation.countedBy(many);
  await many.phase(warmup);
  const before = await report(conversation);
  conversation.countedBy(many);
  const { seconds: took, bytes: came } = await many.phase(seconds * SHARE_OF_THROUGHPUT);
  const after = await report(conversation);
  const one = new ClosedLoop(bytes, 1, send);
  conversation.countedBy(one);
  const { latency } = await one.phase(seconds * (1 - SHARE_OF_THROUGHPUT));
  await conversation.close();
  return {
    rate: (came ?? 0) / took,
    p50: latency?.p50 ?? NaN,
    p99: latency?.p99 ?? NaN,
    cpu: (after.cpu - before.cpu) / ((after.sent - before.sent) / MIB),
    held: before.held,
    set: first.sendBuffer,
    effective: after.sendBuffer,
  };
}

const expected = new Map<number, Buffer>();

function expectedOf(bytes: number): Buffer {
  const body = expected.get(bytes) ?? pattern(bytes);
  expected.set(bytes, body);
  return body;
}

function fail(error: Error): never {
  throw error;
}

async function main(): Promise<void> {
  tell({ ready: true });
  // It ends with its stdin, so it does not outlive its parent, whatever becomes of that.
  for await (const line of createInterface({ input: process.stdin })) {
    tell({ cell: await readCell(JSON.parse(line) as CellOrder) });
  }
}

await main();
