/** The top of glibc's heap, of which the memory of chunks is made: kept while traffic goes on, given back after it. */
import { describe, expect, test } from 'vitest';
import { runChild } from '../support/children.js';
import { requireOrSkip } from '../support/requirements.js';
import { socketPath } from '../support/sockets.js';

const hasAddon = requireOrSkip('addon') !== undefined;
const report = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
/** A sanitizer's allocator has no such top. */
const isGlibc = report.header.glibcVersionRuntime !== undefined && process.env['ASAN_OPTIONS'] === undefined;

/** Says how many pages are faulted in for a body of 64 KiB that is received in the place of an earlier one. */
const UPLOADS = `
  const http = await import(${JSON.stringify(new URL('../../dist/bundle/http.js', import.meta.url).href)});
  const WARM = 4_000;
  const COUNTED = 8_000;
  const faults = () => process.resourceUsage().minorPageFault;
  const path = process.argv[1];
  let requests = 0;
  let before = 0;
  const server = http.createServer((request, response) => {
    if (++requests === WARM) before = faults();
    if (requests === WARM + COUNTED) {
      say((faults() - before) / COUNTED);
      process.exit();
    }
    request.resume().on('end', () => response.end());
  });
  server.listen(path);
  await once(server, 'listening');
  const head = 'POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 65536\\r\\n\\r\\n';
  const upload = Buffer.concat([Buffer.from(head), Buffer.alloc(65536)]);
  for (let i = 0; i < 8; i++) {
    const client = connect(path);
    client.write(upload);
    client.on('data', () => client.write(upload));
  }
`;

/**
 * Keeps 300 MB of messages, lets go of them, and waits until the process is smaller. They are shorter than a block, which would be
 * given to the program: these are copied, each to memory of its own.
 */
const BURST = `
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const resident = () => process.memoryUsage.rss() / 1024 / 1024;
  const path = process.argv[1];
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  const sender = connect(path);
  const [receiver] = await once(server, 'connection');
  const message = Buffer.alloc(60_000);
  let kept = [];
  let received = 0;
  await new Promise((resolve) => {
    receiver.on('data', (chunk) => {
      kept.push(chunk);
      received += chunk.length;
      if (received === 5_000 * message.length) resolve();
      else if (received % message.length === 0) sender.write(message);
    });
    sender.write(message);
  });
  const most = resident();
  kept = [];
  runInNewContext('gc')();
  const timer = setInterval(() => {
    if (resident() > most - 64) return;
    clearInterval(timer);
    say('given back');
    process.exit();
  }, 100);
`;

describe.skipIf(!hasAddon || !isGlibc)('the top of the heap', () => {
  test('is not given back and faulted in again by each garbage collection', async () => {
    const { said, stderr } = await runChild('native', UPLOADS, [socketPath()]);
    expect(stderr).toBe('');
    // A body has 16 pages.
    expect(said[0]).toBeLessThan(2);
  });

  test('is given back some seconds after a burst, though nothing comes any more', async () => {
    const { said, stderr } = await runChild('native', BURST, [socketPath()]);
    expect(stderr).toBe('');
    expect(said).toEqual(['given back']);
  });
});
