/** Fuzzed uwsgi packets, from a seed. `npm run fuzz:uwsgi` sends more of them than the suite does. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { getEngine } from 'nearwire/internal';
import { createServer, type Server } from 'nearwire/uwsgi';
import { descriptors, descriptorsBack } from '../support/files.js';
import type { ScanningEngine } from '../../dist/src/uwsgi/variable-scanner.js';
import { cleanup, socketPath } from '../support/sockets.js';
import { checkConnection, digester, expectCall, type Told } from './connections.js';
import { PacketMaker, type FuzzedPacket } from './packets.js';
import { checkReader, type Kind } from './reader.js';

const PACKETS = Number(process.env['NEARWIRE_FUZZ_PACKETS'] ?? 20_000);
const CONNECTIONS = Number(process.env['NEARWIRE_FUZZ_CONNECTIONS'] ?? 2000);
const SEED = Number(process.env['NEARWIRE_FUZZ_SEED'] ?? 1);
/** Slower than any machine that has been seen: packets, and connections, a second. */
const PACE = 1000;
const CONNECTION_PACE = 50;
const ABREAST = 32;

function named({ bytes, cuts }: FuzzedPacket, number: number, cause: unknown): Error {
  const text = `packet ${String(number)} of seed ${String(SEED)}, cut at ${cuts.join()}: ${bytes.toString('base64')}`;
  return new Error(text, { cause });
}

/** Bytes in use once what nobody holds is gone. */
function settledHeap(): number {
  if (global.gc === undefined) throw new Error('this needs --expose-gc');
  global.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The addon's engine, which counts packets of which it has found the parts. */
class CountingEngine implements ScanningEngine {
  found = 0;
  readonly native: ScanningEngine['native'];
  readonly inboxMemory: Buffer;

  constructor({ native, inboxMemory }: ScanningEngine) {
    this.inboxMemory = inboxMemory;
    this.native = {
      layout: native.layout,
      setVariableNames: native.setVariableNames.bind(native),
      scanVariables: (memory, start, end) => {
        const text = native.scanVariables(memory, start, end);
        if (text !== undefined) this.found++;
        return text;
      },
    };
  }
}

const engine = getEngine();

describe.each([
  ['by itself', undefined],
  ['with what the addon finds', engine && new CountingEngine(engine)],
])('the reader, %s', (_, engine) => {
  const timeout = 30_000 + (PACKETS / PACE) * 1000;
  it(`makes of ${String(PACKETS)} packets what a second reading does`, { timeout }, () => {
    const maker = new PacketMaker(SEED);
    const counts: Record<Kind, number> = { served: 0, cut: 0, refused: 0 };
    const warm = Math.min(PACKETS, 5000);
    let before = 0;
    for (let i = 0; i < PACKETS; i++) {
      if (i === warm) before = settledHeap();
      const packet = maker.next();
      try {
        counts[checkReader(packet, engine)]++;
      } catch (error) {
        throw named(packet, i, error);
      }
    }
    // Nothing is kept of a packet, but for names of headers, of which there is a bound.
    if (PACKETS > warm) expect(settledHeap() - before).toBeLessThan(3_000_000);
    // Each kind is a good part of all: else this would test little.
    for (const kind of ['served', 'cut', 'refused'] as const) expect(counts[kind]).toBeGreaterThan(PACKETS / 20);
    expect(counts.served).toBeGreaterThan(PACKETS / 3);
    // Nor would it, if the addon found all usual.
    if (engine !== undefined) expect(engine.found).toBeGreaterThan(counts.served / 3);
    if (engine !== undefined) expect(engine.found).toBeLessThan(counts.served);
  });
});

describe.each(['native', 'js'] as const)('a server on %s', (transport) => {
  /** Has each of these packets sent and checked; answers what the handler is to have been called for. */
  async function sendAll(path: string, maker: PacketMaker, count: number): Promise<Told> {
    const told: Told = { served: 0, aborted: 0 };
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < count) {
        const number = next++;
        const { bytes, cuts } = maker.next();
        const packet = { bytes: Buffer.from(bytes), cuts };
        try {
          expectCall(told, await checkConnection(path, packet));
        } catch (error) {
          next = count;
          throw named(packet, number, error);
        }
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, work));
    return told;
  }

  async function untilIdle(server: Server): Promise<void> {
    while (server.stats().active > 0) await new Promise(setImmediate);
  }

  const timeout = 30_000 + (CONNECTIONS / CONNECTION_PACE) * 1000;
  it(`answers or refuses ${String(CONNECTIONS)} packets as it should, and is as before`, { timeout }, async () => {
    const told: Told = { served: 0, aborted: 0 };
    const server = createServer({ transport }, digester(told)).listen(socketPath());
    await once(server, 'listening');
    cleanup(() => {
      server.closeAllConnections();
      server.close();
    });
    const path = server.address() as string;
    const maker = new PacketMaker(SEED);
    // What is made once is there after some hundreds.
    const warm = Math.min(500, CONNECTIONS);
    const first = await sendAll(path, maker, warm);
    await untilIdle(server);
    const [heap, open] = [settledHeap(), descriptors()];
    const rest = await sendAll(path, maker, CONNECTIONS - warm);
    await untilIdle(server);
    expect(told).toEqual({ served: first.served + rest.served, aborted: first.aborted + rest.aborted });
    expect(server.stats()).toMatchObject({ transport, accepted: CONNECTIONS, dropped: 0, active: 0 });
    expect(await descriptorsBack(open)).toBe(open);
    expect(settledHeap() - heap).toBeLessThan(5_000_000);
  });
});
