/** The clients of rtt, pipeline, bulk, storm and retained, independent of the transport. */
import { Control, runLoad, type Phase } from './control.js';
import { Histogram } from '../histogram.js';
import { floorPattern } from './pattern.js';
import type { Words } from './words.js';

/** A client's connection; for channels, the channel itself. */
export interface Link {
  /** Returns false: wait for `onDrain`. */
  write(message: Buffer): boolean;
  destroy(): void;
}

/** Its events; for channels, the handlers. They may be replaced at any time. */
export interface LinkEvents {
  onConnect(): void;
  /** Bytes have arrived: `data[start..stop)`, lent. */
  onData(link: Link, data: Buffer, start: number, stop: number): void;
  onDrain(): void;
  onError(link: Link, error: Error): void;
  /** The last event: after an error, or when the server has closed. */
  onClose(): void;
}

export type Connect = (events: LinkEvents) => Link;

function ignore(): void {
  // Received data is ignored, or there is nothing to do.
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

/** Sends one message and compares its echo byte for byte; measured messages are only counted. */
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
 * Keeps this many messages outstanding. Latency is measured only with one message: it is the time from its send to the
 * last byte of its echo.
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
        // Nothing may be left outstanding.
        outstanding -= messages;
        if (outstanding === 0)
          resolve({ seconds: took, operations, bytes: operations * bytes, latency: latency?.summary() });
      };
      send(window);
    });
}

/**
 * Bytes written at once while the transport accepts them. Enough to keep its buffers full, and little enough for the
 * event loop to run and the clock to be checked.
 */
const BATCH_BYTES = 1024 * 1024;

/** Writes until the transport signals backpressure, and continues when it has room. */
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
        // A drain may come in the meantime: a second sender would ignore backpressure, and end the phase that follows.
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

/** A connect without a response by now counts as failed: any listener that still accepts has reached it. */
const PATIENCE_MS = 8_000;

/** All connects in one tick, each with one exchange, however long that takes. */
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
          // Ignores all later events.
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
 * Messages of retained's warm-up, which are not kept: enough to compile both ends, and for each connection to allocate
 * everything that it ever needs.
 */
export const RETAINED_WARM_UP = 16_000;

/** On each connection a message is answered before the next one is sent, so that each arrives as its own chunk. */
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
