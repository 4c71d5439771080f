/**
 * Random interleavings of everything that writes: the peer must get, byte by byte, what it gets from node:net.
 *
 * `NEARWIRE_INTERLEAVINGS` is the number of sequences (default 300), `NEARWIRE_SEED` the first one's seed.
 */
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Server } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import type { Socket } from 'nearwire';
import { testFile } from '../support/files.js';
import { sequenceOf, type InterleavedFile, type Sequence } from '../support/interleavings.js';
import { listen, nextTurn, type Address } from '../support/sockets.js';
import { families, reference, subjects, type Subject } from '../support/subjects.js';

const COUNT = Number(process.env['NEARWIRE_INTERLEAVINGS'] ?? 300);
const FIRST_SEED = Number(process.env['NEARWIRE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Sequences under way at once. */
const LANES = 4;
const FILE_BYTES = 1_000_000;
const MILLIS_PER_SEQUENCE = 100;

interface Outcome {
  received: Buffer;
  /** The order in which the writes called back, and with what. */
  called: string[];
  /** The same of files, whose promises settle between them. */
  settled: string[];
  /** Bytes of the writes that had called back before destroy(). */
  acknowledged: number;
  bytesWritten: number;
}

async function play(subject: Subject, server: Server, address: Address, sequence: Sequence): Promise<Outcome> {
  const socket = subject.connect({ ...address }) as Socket;
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown];
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const over = Promise.all([once(peer, 'close'), once(socket, 'close')]);
  const called: string[] = [];
  const settled: string[] = [];
  let acknowledged = 0;
  let writes = 0;
  const note = (bytes: Buffer, settles = false) => {
    const name = String(writes++);
    return (error?: Error | null): void => {
      (settles ? settled : called).push(error ? `${name} failed` : name);
      if (!socket.destroyed && !error) acknowledged += bytes.length;
    };
  };
  for (const step of sequence.steps) {
    await step.run({ socket, peer, byReference: subject !== reference, note });
  }
  if (sequence.ending === 'end') socket.end('the end', note(Buffer.from('the end')));
  else socket.destroy();
  peer.resume();
  await over;
  await nextTurn();
  return { received: Buffer.concat(chunks), called, settled, acknowledged, bytesWritten: socket.bytesWritten };
}

/** What is wrong with an outcome; undefined: nothing. */
function fault(sequence: Sequence, ours: Outcome, nodes: Outcome): string | undefined {
  if (sequence.ending === 'end') {
    if (!ours.received.equals(nodes.received)) return 'other bytes than from node:net';
    for (const list of ['called', 'settled'] as const) {
      if (ours[list].join() !== nodes[list].join()) return `${list} ${ours[list].join()}, not ${nodes[list].join()}`;
    }
    if (ours.bytesWritten !== nodes.bytesWritten) return `bytesWritten is ${String(ours.bytesWritten)}`;
    return undefined;
  }
  const { received, acknowledged } = ours;
  if (!received.equals(sequence.bytes.subarray(0, received.length))) return 'bytes that were not written in this order';
  if (received.length < acknowledged)
    return `${String(acknowledged)} bytes called back, ${String(received.length)} came`;
  return undefined;
}

function describeSequence(seed: number, { steps, ending }: Sequence): string {
  return [`NEARWIRE_SEED=${String(seed)} NEARWIRE_INTERLEAVINGS=1`, ...steps.map(({ text }) => text), ending].join(
    '\n  ',
  );
}

const ours = subjects.filter((subject) => subject !== reference);

describe.each(ours)('interleaved writes: $name', (subject) => {
  const fds: number[] = [];
  afterAll(() => {
    for (const fd of fds) closeSync(fd);
  });

  it.each(families)(
    'send what node:net sends, over %s',
    async (family) => {
      const { path } = testFile(FILE_BYTES);
      const file: InterleavedFile = { path, fd: openSync(path, 'r'), size: FILE_BYTES };
      fds.push(file.fd);
      let next = 0;
      const lane = async (): Promise<void> => {
        // allowHalfOpen is off: the peer answers an end with its own.
        const server = reference.createServer();
        const address = await listen(server, family);
        while (next < COUNT) {
          const seed = (FIRST_SEED + next++) >>> 0;
          const sequence = sequenceOf(seed, file);
          const nodes = await play(reference, server, address, sequence);
          const outcome = await play(subject, server, address, sequence);
          const wrong = fault(sequence, outcome, nodes);
          if (wrong !== undefined) expect.fail(`${wrong}\n${describeSequence(seed, sequence)}`);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
    },
    30_000 + COUNT * MILLIS_PER_SEQUENCE,
  );
});
