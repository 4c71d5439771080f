/** What the clients of rtt, pipeline, bulk, storm and retained do, apart from what carries the bytes. */
import { Control, runLoad, type Phase } from './control.js';
import { Histogram } from '../histogram.js';
import { floorPattern } from './pattern.js';
import type { Words } from './words.js';

/** A client's connection: of a channel, that itself. */
export interface Link {
  /** False: wait for `onDrain`. */
  write(message: Buffer): boolean;
  destroy(): void;
}

/** What it tells, the handlers of a channel. They may be set anew at any time. */
export interface LinkEvents {
  onConnect(): void;
  /** Bytes came: `data[start..stop)`, lent. */
  onData(link: Link, data: Buffer, start: number, stop: number): void;
  onDrain(): void;
  onError(link: Link, error: Error): void;
  /** The last word: behind an error, or when the server has had enough. */
  onClose(): void;
}

export type Connect = (events: LinkEvents) => Link;

function ignore(): void {
  // What comes is of no use, or nothing is to be done.
}

interface Opened {
  readonly link: Link;
  readonly events: LinkEvents;
}

function open(connect: Connect): Promise<Opened> {
  return new Promise((resolve) => {
    const events: LinkEvents = {
      onData: ignore,
      onDrain: ignore,
      onConnect() {
        resolve({ link, events });
      },
      onError(_link, error) {
        throw error;
      },
      onClose() {
        throw new Error('the server closed the connection');
      },
    };
    const link = connect(events);
  });
}

function controlOf(connections: readonly Opened[]): Control {
  return new Control(() => {
    for (const { link, events } of connections) {
      Object.assign(events, { onError: ignore, onClose: ignore });
      link.destroy();
    }
  });
}

export async function load(connect: Connect, words: Words): Promise<void> {
  if (words.case === 'storm') return loadStorm(connect, words);
  if (words.case === 'retained') return loadRetained(connect, words);
  const opened = await open(connect);
  const control = controlOf([opened]);
  if (words.case === 'bulk') return runLoad(control, bulk(opened, words.bytes), words);
  await exchange(opened, floorPattern(words.bytes));
  return runLoad(control, closedLoop(opened, words.bytes, words.case === 'pipeline' ? words.window : 1), words);
}

/** One message there and back, byte for byte the same: where time is measured they are counted only. */
function exchange({ link, events }: Opened, message: Buffer): Promise<void> {
  return new Promise((resolve) => {
    let received = 0;
    events.onData = (_link, data, start, stop) => {
      const at = received;
      received += stop - start;
      if (message.compare(data, start, stop, at, received) !== 0)
        throw new Error('the echo differs from what was sent');
      if (received === message.length) resolve();
    };
    link.write(message);
  });
}

/**
 * So many messages outstanding. Latency is taken of one message only: there it is the time from one send to its echo's last
 * byte.
 */
function closedLoop({ link, events }: Opened, bytes: number, window: number): Phase {
  const message = floorPattern(bytes);
  const latency = window === 1 ? new Histogram() : undefined;
  const send = (messages: number): void => {
    for (let left = messages; left > 0; left--) link.write(message);
  };
  return (seconds) =>
    new Promise((resolve) => {
      latency?.reset();
      const startedAt = performance.now();
      const endsAt = startedAt + seconds * 1e3;
      let sentAt = startedAt;
      let took: number | undefined;
      let [received, operations, outstanding] = [0, 0, window];
      events.onData = (_link, _data, start, stop) => {
        received += stop - start;
        if (received < bytes) return;
        const messages = Math.floor(received / bytes);
        received -= messages * bytes;
        if (took === undefined) {
          operations += messages;
          const now = performance.now();
          latency?.record(now - sentAt);
          if (now < endsAt) {
            sentAt = now;
            send(messages);
            return;
          }
          took = (now - startedAt) / 1e3;
        }
        // Nothing is to be left outstanding.
        outstanding -= messages;
        if (outstanding === 0)
          resolve({ seconds: took, operations, bytes: operations * bytes, latency: latency?.summary() });
      };
      send(window);
    });
}

/**
 * Bytes written in one go while the transport keeps taking them. Enough to keep its buffers full, little enough for
 * the loop to turn and the clock to be looked at.
 */
const BATCH_BYTES = 1024 * 1024;

/** Writes until the transport says stop, and goes on when it has room. */
export function bulk({ link, events }: Opened, bytes: number): Phase {
  const message = floorPattern(bytes);
  const batch = Math.max(1, Math.floor(BATCH_BYTES / bytes));
  return (seconds) =>
    new Promise((resolve) => {
      const startedAt = performance.now();
      const endsAt = startedAt + seconds * 1e3;
      let operations = 0;
      let next: NodeJS.Immediate | undefined;
      const send = (): void => {
        // A drain may come meanwhile, too: a second sender would heed no backpressure, and end the phase that follows.
        clearImmediate(next);
        const now = performance.now();
        if (now >= endsAt) {
          events.onDrain = ignore;
          resolve({ seconds: (now - startedAt) / 1e3, operations, bytes: operations * bytes });
          return;
        }
        for (let left = batch; left > 0; left--) {
          operations++;
          if (!link.write(message)) return;
        }
        next = setImmediate(send);
      };
      events.onDrain = send;
      send();
    });
}

/** A connect that has had no answer by now counts as failed: any listener that still accepts has come round to it. */
const PATIENCE_MS = 8_000;

/** All connects in one tick, each with one exchange. It takes what time it takes. */
function loadStorm(connect: Connect, words: Words): Promise<void> {
  const message = floorPattern(words.bytes);
  const connections: Opened[] = [];
  const storm: Phase = async () => {
    const waits = new Histogram();
    const startedAt = performance.now();
    await new Promise<void>((resolve) => {
      setTimeout(resolve, PATIENCE_MS);
      let left = words.connections;
      for (let i = 0; i < words.connections; i++) {
        let received = 0;
        const end = (): void => {
          // Whatever comes behind it.
          Object.assign(events, { onData: ignore, onError: ignore, onClose: ignore });
          if (--left === 0) resolve();
        };
        const events: LinkEvents = {
          onConnect() {
            link.write(message);
          },
          onData(_link, _data, start, stop) {
            received += stop - start;
            if (received < message.length) return;
            waits.record(performance.now() - startedAt);
            end();
          },
          onDrain: ignore,
          onError: end,
          onClose: end,
        };
        const link = connect(events);
        connections.push({ link, events });
      }
    });
    const latency = waits.summary();
    const { count: operations } = latency;
    const seconds = (performance.now() - startedAt) / 1e3;
    return { seconds, operations, latency, failed: words.connections - operations };
  };
  return runLoad(controlOf(connections), storm, words);
}

/**
 * Messages of the warm-up of retained, which are let go: enough for both ends to be compiled, and for each connection to
 * have all that it ever has.
 */
export const RETAINED_WARM_UP = 16_000;

/** On each connection a message is answered before the next one is sent, so that each comes as its own chunk. */
async function loadRetained(connect: Connect, words: Words): Promise<void> {
  const { bytes, chunks, every, connections } = words;
  const message = floorPattern(bytes);
  const links = await Promise.all(Array.from({ length: connections }, () => open(connect)));
  const send = async (count: number): Promise<void> => {
    let unsent = count;
    const sendOneByOne = async (opened: Opened): Promise<void> => {
      while (unsent-- > 0) await exchange(opened, message);
    };
    await Promise.all(links.map(sendOneByOne));
  };
  await send(RETAINED_WARM_UP);
  const operations = chunks * every;
  const sendAll: Phase = async () => {
    const startedAt = performance.now();
    await send(operations);
    return { seconds: (performance.now() - startedAt) / 1e3, operations, bytes: operations * bytes };
  };
  await runLoad(controlOf(links), sendAll, words);
}
