/** What the clients of rtt, pipeline, bulk, storm and retained do, apart from what carries the bytes. */
import { Control, runLoad, type Phase } from './control.js';
import { Histogram } from '../histogram.js';
import { floorPattern } from './pattern.js';
import type { Words } from './words.js';

/** A client's connection. */
export interface Link {
  readonly events: LinkEvents;
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

function ignore(): void {
  // What comes is of no use, or nothing is to be done.
}

function open(connect: Connect): Promise<Link> {
  return new Promise((resolve) => {
    const link = connect({
      came: ignore,
      drained: ignore,
      opened() {
        resolve(link);
      },
      failed(error) {
        throw error;
      },
    });
  });
}

function controlOf(links: readonly Link[]): Control {
  return new Control(() => {
    for (const link of links) {
      link.events.failed = ignore;
      link.destroy();
    }
  });
}

export async function load(connect: Connect, words: Words): Promise<void> {
  if (words.case === 'storm') return loadStorm(connect, words);
  if (words.case === 'retained') return loadRetained(connect, words);
  const link = await open(connect);
  const control = controlOf([link]);
  if (words.case === 'bulk') return runLoad(control, bulk(link, words.bytes), words);
  await exchange(link, floorPattern(words.bytes));
  return runLoad(control, closedLoop(link, words.bytes, words.case === 'pipeline' ? words.window : 1), words);
}

/** One message there and back, byte for byte the same: where time is measured they are counted only. */
function exchange(link: Link, message: Buffer): Promise<void> {
  return new Promise((resolve) => {
    let received = 0;
    link.events.came = (data, start, stop) => {
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
function closedLoop(link: Link, bytes: number, window: number): Phase {
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
      link.events.came = (_data, start, stop) => {
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
function bulk(link: Link, bytes: number): Phase {
  const message = floorPattern(bytes);
  const batch = Math.max(1, Math.floor(BATCH_BYTES / bytes));
  return (seconds) =>
    new Promise((resolve) => {
      const startedAt = performance.now();
      const endsAt = startedAt + seconds * 1e3;
      let operations = 0;
      const send = (): void => {
        const now = performance.now();
        if (now >= endsAt) {
          link.events.drained = ignore;
          resolve({ seconds: (now - startedAt) / 1e3, operations, bytes: operations * bytes });
          return;
        }
        for (let left = batch; left > 0; left--) {
          operations++;
          if (!link.write(message)) return;
        }
        setImmediate(send);
      };
      link.events.drained = send;
      send();
    });
}

/** A connect that has had no answer by now counts as failed: any listener that still accepts has come round to it. */
const PATIENCE_MS = 8_000;

/** All connects in one tick, each with one exchange. It takes what time it takes. */
function loadStorm(connect: Connect, words: Words): Promise<void> {
  const message = floorPattern(words.bytes);
  const links: Link[] = [];
  const storm: Phase = async () => {
    const waits = new Histogram();
    const startedAt = performance.now();
    await new Promise<void>((resolve) => {
      setTimeout(resolve, PATIENCE_MS);
      let left = words.connections;
      const end = (link: Link): void => {
        // Whatever comes behind it.
        Object.assign(link.events, { came: ignore, failed: ignore });
        if (--left === 0) resolve();
      };
      for (let i = 0; i < words.connections; i++) {
        let received = 0;
        const link = connect({
          opened() {
            link.write(message);
          },
          came(_data, start, stop) {
            received += stop - start;
            if (received < message.length) return;
            waits.record(performance.now() - startedAt);
            end(link);
          },
          drained: ignore,
          failed() {
            end(link);
          },
        });
        links.push(link);
      }
    });
    const latency = waits.summary();
    const { count: operations } = latency;
    const seconds = (performance.now() - startedAt) / 1e3;
    return { seconds, operations, latency, failed: words.connections - operations };
  };
  return runLoad(controlOf(links), storm, words);
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
    const sendOneByOne = async (link: Link): Promise<void> => {
      while (unsent-- > 0) await exchange(link, message);
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
