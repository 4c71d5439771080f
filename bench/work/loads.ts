/** What the clients of rtt, pipeline, bulk, storm and retained do, apart from what carries the bytes. */
import { Control, runLoad, type Phase } from './control.js';
import { Histogram } from '../histogram.js';
import { pattern, verify } from './pattern.js';
import type { Words } from './words.js';

/** A client's connection. */
export interface Link {
  /** False: wait for `drained`. */
  write(message: Buffer): boolean;
  destroy(): void;
}

/** What it tells. They may be set anew at any time. */
export interface LinkEvents {
  opened(): void;
  /** Bytes came: `data[start..stop)`, lent. */
  came(data: Buffer, start: number, stop: number): void;
  drained(): void;
  /** It has ended, though the client has not destroyed it. */
  failed(error: Error): void;
}

export type Connect = (events: LinkEvents) => Link;

const CLOSED = new Error('the server closed the connection');

export function closed(events: LinkEvents): void {
  events.failed(CLOSED);
}

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
      came: ignore,
      drained: ignore,
      opened() {
        resolve({ link, events });
      },
      failed(error) {
        throw error;
      },
    };
    const link = connect(events);
  });
}

function controlOf(links: readonly Opened[]): Control {
  return new Control(() => {
    for (const { link, events } of links) {
      events.failed = ignore;
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
  await exchangeOnce(opened, pattern(words.bytes));
  return runLoad(control, closedLoop(opened, words.bytes, words.case === 'pipeline' ? words.window : 1), words);
}

/** One message there and back, byte for byte the same: the measured ones are counted only. */
function exchangeOnce({ link, events }: Opened, message: Buffer): Promise<void> {
  return new Promise((resolve) => {
    let received = 0;
    events.came = (data, start, stop) => {
      verify(message, received, data, start, stop);
      received += stop - start;
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
  const message = pattern(bytes);
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
      events.came = (_data, start, stop) => {
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
function bulk({ link, events }: Opened, bytes: number): Phase {
  const message = pattern(bytes);
  const batch = Math.max(1, Math.floor(BATCH_BYTES / bytes));
  return (seconds) =>
    new Promise((resolve) => {
      const startedAt = performance.now();
      const endsAt = startedAt + seconds * 1e3;
      let operations = 0;
      const send = (): void => {
        const now = performance.now();
        if (now >= endsAt) {
          events.drained = ignore;
          resolve({ seconds: (now - startedAt) / 1e3, operations, bytes: operations * bytes });
          return;
        }
        for (let left = batch; left > 0; left--) {
          operations++;
          if (!link.write(message)) return;
        }
        setImmediate(send);
      };
      events.drained = send;
      send();
    });
}

/** A connect that has had no answer by now counts as failed: any listener that still accepts has come round to it. */
const PATIENCE_MS = 8_000;

/** All connects in one tick, each with one exchange. It takes what time it takes. */
async function loadStorm(connect: Connect, words: Words): Promise<void> {
  const message = pattern(words.bytes);
  const links: Link[] = [];
  const storm = async (): ReturnType<Phase> => {
    const waits = new Histogram();
    const startedAt = performance.now();
    let failed = 0;
    await new Promise<void>((resolve) => {
      let left = words.connections;
      const timer = setTimeout(() => {
        failed += left;
        resolve();
      }, PATIENCE_MS);
      for (let i = 0; i < words.connections; i++) {
        let received = 0;
        let isOver = false;
        // Whatever comes after the first word of a connect's end is ignored.
        const end = (how: () => void): void => {
          if (isOver) return;
          isOver = true;
          how();
          if (--left > 0) return;
          clearTimeout(timer);
          resolve();
        };
        const link = connect({
          opened() {
            link.write(message);
          },
          came(_data, start, stop) {
            received += stop - start;
            if (received < message.length) return;
            end(() => {
              waits.record(performance.now() - startedAt);
            });
          },
          drained: ignore,
          failed() {
            end(() => failed++);
          },
        });
        links.push(link);
      }
    });
    const latency = waits.summary();
    return { seconds: (performance.now() - startedAt) / 1e3, operations: latency.count, latency, failed };
  };
  const control = new Control(() => {
    for (const link of links) link.destroy();
  });
  await runLoad(control, storm, words);
}

/**
 * Messages of the warm-up of retained, which are let go: enough for both ends to be compiled, and for each connection to
 * have all that it ever has.
 */
export const RETAINED_WARM_UP = 16_000;

/** On each connection a message is answered before the next one is sent, so that each comes as its own chunk. */
async function loadRetained(connect: Connect, words: Words): Promise<void> {
  const { bytes, chunks, every, connections } = words;
  const message = pattern(bytes);
  const links = await Promise.all(Array.from({ length: connections }, () => open(connect)));
  await sendOneByOne(links, message, RETAINED_WARM_UP);
  const operations = chunks * every;
  const sendAll: Phase = async () => {
    const startedAt = performance.now();
    await sendOneByOne(links, message, operations);
    return { seconds: (performance.now() - startedAt) / 1e3, operations, bytes: operations * bytes };
  };
  await runLoad(controlOf(links), sendAll, words);
}

/** So many messages in all, one outstanding on each connection. */
function sendOneByOne(links: readonly Opened[], message: Buffer, count: number): Promise<void> {
  return new Promise((resolve) => {
    let unsent = count;
    let unanswered = count;
    for (const { link, events } of links) {
      const send = (): void => {
        if (unsent === 0) return;
        unsent--;
        link.write(message);
      };
      events.came = () => {
        if (--unanswered === 0) resolve();
        send();
      };
      send();
    }
  });
}
