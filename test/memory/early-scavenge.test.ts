/** Memory that programs are given outside of V8's heap: V8 is to free it without marking all of the heap. */
import { describe, expect, test } from 'vitest';
import { runChild } from '../support/children.js';
import { requireOrSkip } from '../support/requirements.js';

const hasAddon = requireOrSkip('addon') !== undefined;
/** Before it, V8 scavenges by itself. */
const isOurs = parseInt(process.versions.v8, 10) >= 13;

/** Says how often V8 has collected, in which way, while 1 GiB went through one connection; `onData` is the receiver's. */
const RECEIVER = (onData: string): string => `
  const { PerformanceObserver, constants } = await import('node:perf_hooks');
  const BYTES = 1024 * 1024 * 1024;
  const counts = { major: 0, minor: 0 };
  new PerformanceObserver((list) => {
    for (const { detail: { kind } } of list.getEntries()) {
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) counts.major++;
      if (kind === constants.NODE_PERFORMANCE_GC_MINOR) counts.minor++;
    }
  }).observe({ entryTypes: ['gc'] });
  // As programs have it that have run for a while: a young generation that takes long to fill.
  const live = Array.from({ length: 100_000 }, (_, id) => ({ id, name: 'entry ' + id }));
  const kept = [];
  let received = 0;
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      received += chunk.length;
      ${onData}
    });
    socket.on('end', () => setImmediate(() => {
      say({ ...counts, received, live: live.length, kept: kept.length });
      server.close();
    }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sender = connect({ host: '127.0.0.1', port: server.address().port });
  const piece = Buffer.alloc(1024 * 1024);
  const send = () => {
    for (; sender.bytesWritten < BYTES;) if (!sender.write(piece)) return sender.once('drain', send);
    sender.end();
  };
  send();
`;

interface Said {
  readonly major: number;
  readonly minor: number;
  readonly received: number;
}

async function collections(onData: string): Promise<Said> {
  const { said, stderr } = await runChild('native', RECEIVER(onData));
  expect(stderr).toBe('');
  const [counts] = said as [Said];
  expect(counts.received).toBe(1024 ** 3);
  return counts;
}

describe.skipIf(!hasAddon || !isOurs)('what is given outside of the heap', () => {
  test('is freed by scavenges where it is let go of', async () => {
    const { major, minor } = await collections('');
    // V8 alone would mark all for each 64 MB.
    expect(major).toBeLessThan(8);
    expect(minor).toBeGreaterThan(20);
  });

  test('is not looked for again and again where it is kept', async () => {
    const { major, minor } = await collections('if (received < 900e6) kept.push(chunk);');
    expect(major).toBeGreaterThan(0);
    expect(minor).toBeLessThan(22);
  });
});
