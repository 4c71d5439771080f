/** Pages on their way: the right bytes, whatever becomes of the page and of the connection. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { install, Page, sendFile } from 'nearwire';
import { serverCertificate, serverKey } from '../support/certificates.js';
import { runChild } from '../support/children.js';
import { testFile } from '../support/files.js';
import { request, target } from '../support/http.js';
import { collectUntil, descriptorCount, pageDescriptors, sealed } from '../support/pages.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, closed, listen, nextTurn, pair, pattern, readAll } from '../support/sockets.js';
import { everyWay, families, native, type Subject } from '../support/subjects.js';

// For TLS over native sockets.
install();

const MIB = 1024 * 1024;
const library = fileURLToPath(new URL('../../dist/bundle/index.js', import.meta.url));
const none = (): boolean => Page.stats().pages === 0;

/** Whether this subject's sockets send pages by reference. */
const byReference = (subject: Subject): boolean => subject.name === 'native' && sealed;

describe.each(everyWay)('pages: $name over $family', ({ subject, family }) => {
  it('go in their turn among other writes, any number of times', async () => {
    const { client, peer } = await pair(subject, family);
    const all = readAll(peer);
    const small = pattern(Page.threshold - 1, 2);
    const large = pattern(3 * MIB + 5, 3);
    const least = pattern(Page.threshold, 4);
    const leastPage = Page.from(least);
    const smallPage = Page.from(small);
    const pages: [Buffer, Page][] = [
      [small, smallPage],
      [large, Page.from(large)],
      [least, leastPage],
      [Buffer.alloc(0), Page.from('')],
    ];
    const expected: Buffer[] = [];
    const write = (bytes: Buffer | string, sent: Buffer | string = bytes): void => {
      expected.push(Buffer.from(bytes));
      client.write(sent);
    };
    const before = Page.stats().byReference;
    for (let round = 0; round < 3; round++) {
      if (round === 1) client.cork();
      write('head');
      for (const [bytes, page] of pages) write(bytes, page);
      write(least, leastPage);
      write(pattern(100_000));
      write(small.subarray(0, 5000), smallPage.subarray(0, 5000));
      if (round === 1) client.uncork();
      if (round === 2) await nextTurn();
    }
    expected.push(least);
    client.end(leastPage);
    const wanted = Buffer.concat(expected);
    expect((await all).equals(wanted)).toBe(true);
    expect(client.bytesWritten).toBe(wanted.length);
    const { times, bytes } = Page.stats().byReference;
    const sent = byReference(subject)
      ? { times: 10, bytes: 3 * large.length + 7 * least.length }
      : { times: 0, bytes: 0 };
    expect({ times: times - before.times, bytes: bytes - before.bytes }).toEqual(sent);
  });

  it('stand among files, those that are still being opened too', async () => {
    const { client, peer } = await pair(subject, family);
    const all = readAll(peer);
    const file = testFile(300_000);
    const bytes = pattern(MIB, 5);
    const page = Page.from(bytes);
    if (byReference(subject)) page.fill(0);
    const slow = process.platform === 'linux' ? `/proc/self/root${file.path}` : file.path;
    client.cork();
    void sendFile(client, file.path);
    client.write(page);
    void sendFile(client, slow);
    client.write(page);
    client.uncork();
    client.write('tail');
    client.end(page);
    const expected = [file.bytes, bytes, file.bytes, bytes, Buffer.from('tail'), bytes];
    expect((await all).equals(Buffer.concat(expected))).toBe(true);
  });

  it('call back when the kernel has them', async () => {
    const { client, peer } = await pair(subject, family);
    const page = Page.from(pattern(8 * MIB));
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      client.write('a', () => order.push('a'));
      client.write(page, () => order.push('page'));
      client.write('b', () => {
        order.push('b');
        resolve();
      });
    });
    expect(client.writableNeedDrain).toBe(true);
    await nextTurn();
    expect(order).not.toContain('page');
    peer.resume();
    await done;
    expect(order).toEqual(['a', 'page', 'b']);
    expect(client.writableLength).toBe(0);
  });

  it('may be written before the connection is there', async () => {
    const server = subject.createServer();
    const address = await listen(server, family);
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const bytes = pattern(2 * MIB);
    const client = subject.connect(address);
    client.end(Page.from(bytes));
    const [peer] = await accepted;
    expect((await readAll(peer)).equals(bytes)).toBe(true);
    client.destroy();
  });

  it('are bodies of responses', async () => {
    const bytes = pattern(MIB + 3);
    const small = pattern(500, 2);
    const pages = new Map([
      ['/large', Page.from(bytes)],
      ['/small', Page.from(small)],
    ]);
    const server = subject.http.createServer({}, (incoming, response) => {
      const page = pages.get(incoming.url ?? '');
      if (incoming.headers['x-write'] === undefined) {
        response.end(page);
      } else {
        response.write(page);
        response.end(page);
      }
    });
    const address = await listen(server, family);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    for (const [path, body] of [
      ['/large', bytes],
      ['/small', small],
      ['/large', bytes],
    ] as const) {
      const whole = await request({ ...target(address), agent, path });
      expect(whole.headers['content-length']).toBe(String(body.length));
      expect(whole.body.equals(body)).toBe(true);
      const head = await request({ ...target(address), agent, path, method: 'HEAD' });
      expect(head.status).toBe(200);
      expect(head.body.length).toBe(0);
      const chunked = await request({ ...target(address), agent, path, headers: { 'x-write': '1' } });
      expect(chunked.body.equals(Buffer.concat([body, body]))).toBe(true);
    }
  });

  it('are bodies of pipelined responses', async () => {
    const bytes = pattern(300_000);
    const page = Page.from(bytes);
    const server = subject.http.createServer({}, (_, response) => {
      response.end(page);
    });
    const address = await listen(server, family);
    const socket = subject.connect(address);
    const ask = 'GET / HTTP/1.1\r\nHost: x\r\n';
    socket.write(`${ask}\r\n`.repeat(9) + `${ask}Connection: close\r\n\r\n`);
    const answer = await readAll(socket);
    let at = 0;
    for (let i = 0; i < 10; i++) {
      at = answer.indexOf('\r\n\r\n', at) + 4;
      expect(answer.subarray(at, at + bytes.length).equals(bytes)).toBe(true);
      at += bytes.length;
    }
    expect(at).toBe(answer.length);
    socket.destroy();
  });

  it('are ordinary bytes under TLS', async () => {
    const bytes = pattern(MIB + 3);
    const page = Page.from(bytes);
    const certificate = { key: serverKey, cert: serverCertificate };
    const secured = https.createServer(certificate, (_, response) => response.end(page));
    const front = subject.createServer({}, (socket) => secured.emit('connection', socket));
    const address = await listen(front, family);
    const sent = https.request({ ...target(address), rejectUnauthorized: false });
    sent.end();
    const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    sent.destroy();
  });

  it('may be huge', async () => {
    const { client, peer } = await pair(subject, family);
    const bytes = pattern(64 * MIB);
    const all = readAll(peer);
    client.end(Page.from(bytes));
    expect((await all).equals(bytes)).toBe(true);
  });

  it('leave nothing behind when slow readers are cut off', async () => {
    const server = subject.createServer();
    const address = await listen(server, family);
    await collectUntil(none);
    const before = { descriptors: descriptorCount(), pages: pageDescriptors().length };
    const CONNECTIONS = 200;
    let page: Page | undefined = Page.from(pattern(MIB));
    const peers: Socket[] = [];
    server.on('connection', (peer) => {
      peers.push(peer);
      peer.on('error', () => undefined);
      peer.write(page as Page);
      peer.write('tail');
      peer.write(page as Page);
    });
    const clients = Array.from({ length: CONNECTIONS }, () => subject.connect(address));
    for (const client of clients) client.on('error', () => undefined).pause();
    while (peers.length < CONNECTIONS) await nextTurn();
    page = undefined;
    const sockets = [...clients, ...peers];
    const ends = sockets.map(closed);
    for (const [i, client] of clients.entries()) (i % 2 === 0 ? client : (peers[i] as Socket)).destroy();
    for (const socket of sockets) socket.resume();
    await Promise.all(ends);
    sockets.length = 0;
    clients.length = peers.length = 0;
    await collectUntil(none);
    expect(pageDescriptors().length).toBe(before.pages);
    await expect.poll(descriptorCount).toBeLessThanOrEqual(before.descriptors);
  });
});

describe.runIf(sealed).each(families)('what native sockets send of a page, over %s', (family) => {
  it('is what it was made of, whoever has written to it', async () => {
    const { client, peer } = await pair(native, family);
    const bytes = pattern(4 * MIB);
    const page = Page.from(bytes);
    page.bytes.fill(1);
    page.fill(2);
    client.write(page);
    page.fill(3);
    client.end();
    await nextTurn();
    page.bytes.fill(4);
    page.fill(5);
    expect((await readAll(peer)).equals(bytes)).toBe(true);
  });

  it.each([
    ['in the kernel', 100_000],
    ['in the queue', 8 * MIB],
  ])('stays while a slow reader still has it %s', async (where, size) => {
    await collectUntil(none);
    const pairs = await Promise.all(Array.from({ length: 10 }, () => pair(native, family)));
    const bytes = pattern(size);
    const write = (): void => {
      const page = Page.from(bytes);
      for (const { client } of pairs) client.write(page);
    };
    write();
    const held = where === 'in the queue' ? 1 : 0;
    await collectUntil(() => Page.stats().pages === held && pageDescriptors().length === held);
    // Whatever has been freed is used again, and not for the same.
    for (let i = 0; i < 16; i++) Page.from(Buffer.alloc(4 * MIB, 'z'));
    const others: Buffer[] = Array.from({ length: 64 }, () => Buffer.alloc(MIB, 'y'));
    await collectUntil(() => Page.stats().pages === held);
    for (let i = 0; i < 16; i++) others.push(Page.from(Buffer.alloc(4 * MIB, 'x')));
    for (const { client, peer } of pairs) {
      client.end();
      expect((await readAll(peer)).equals(bytes)).toBe(true);
    }
    others.length = 0;
    await collectUntil(none);
  });

  it('is counted', async () => {
    const { client, peer } = await pair(native, family);
    const page = Page.from(pattern(MIB));
    const small = Page.from(pattern(Page.threshold - 1));
    const before = Page.stats();
    for (let i = 0; i < 5; i++) client.write(page);
    client.write(small);
    client.end();
    await readAll(peer);
    const after = Page.stats();
    expect(after.byReference.times - before.byReference.times).toBe(5);
    expect(after.byReference.bytes - before.byReference.bytes).toBe(5 * MIB);
    expect(after.byCopy.times - before.byCopy.times).toBe(1);
    expect(after.byCopy.bytes - before.byCopy.bytes).toBe(small.length);
  });

  it('is right in any order with anything else', async () => {
    const sources = [1, 20_000, 70_000, 400_000, 1_500_000].map((size, i) => pattern(size, i + 1));
    const pages = sources.map((bytes) => Page.from(bytes));
    let state = 12_345;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 40; round++) {
      const { client, peer } = await pair(native, family);
      const all = readAll(peer);
      const expected: Buffer[] = [];
      for (let step = 0; step < 30; step++) {
        const which = random(sources.length);
        const bytes = sources[which] as Buffer;
        const doing = random(8);
        if (doing < 3) client.write(pages[which] as Page);
        else if (doing === 3) client.write(bytes);
        else if (doing === 4) client.write(bytes.subarray(0, 100));
        if (doing < 4) expected.push(bytes);
        else if (doing === 4) expected.push(bytes.subarray(0, 100));
        else if (doing === 5) client.cork();
        else if (doing === 6) client.uncork();
        else if (random(2) === 0) peer.pause();
        else await nextTurn();
      }
      peer.resume();
      client.end(pages[1] as Page);
      expected.push(sources[1] as Buffer);
      expect(Buffer.concat(expected).equals(await all)).toBe(true);
    }
  }, 60_000);
});

describe.runIf(sealed)('pages of a thread that ends', () => {
  it('are let go, and those in the kernel arrive', async () => {
    const server = native.createServer();
    const address = await listen(server, 'unix');
    await collectUntil(none);
    const files = pageDescriptors().length;
    const code = `
      const { Page } = await import(${JSON.stringify(library)});
      const { Worker, isMainThread } = await import('node:worker_threads');
      const inWorker = \`
        import { Page, connect } from \${JSON.stringify(${JSON.stringify(new URL(`file://${library}`).href)})};
        import { parentPort, workerData } from 'node:worker_threads';
        const page = Page.from(Buffer.alloc(4_000_000, 'x'));
        const socket = connect({ ...workerData, transport: 'native' });
        socket.write(page);
        socket.write(page, () => {});
        socket.on('connect', () => setImmediate(() => parentPort.postMessage('written')));
      \`;
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(inWorker)), { workerData: ${JSON.stringify(address)} });
      await once(worker, 'message');
      const during = Page.stats().pages;
      await worker.terminate();
      say({ during, after: Page.stats().pages });
    `;
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const child = runChild('native', code);
    const [peer] = await accepted;
    const { said, stderr } = await child;
    expect(stderr).toBe('');
    expect(said).toEqual([{ during: 1, after: 0 }]);
    const got = await readAll(peer);
    expect(got.length).toBeGreaterThan(100_000);
    expect(got.every((byte) => byte === 120)).toBe(true);
    expect(pageDescriptors().length).toBe(files);
  });
});

const strace = requireOrSkip('strace');

describe.runIf(sealed && strace !== undefined)('a kernel that takes no references', () => {
  it.each(['EINVAL', 'ENOSYS', 'EPERM'])('(%s) is given copies', (error) => {
    const code = `
      import { Page, createServer, connect } from ${JSON.stringify(library)};
      const page = Page.from(Buffer.alloc(3_000_000, 'x'));
      const server = createServer({ transport: 'native' }, (socket) => {
        socket.write('head');
        page.fill(0);
        socket.write(page);
        socket.end(page);
      }).listen('\\0nearwire-page-' + process.pid, () => {
        let right = 0;
        connect({ path: '\\0nearwire-page-' + process.pid, transport: 'native' })
          .on('data', (chunk) => { for (const byte of chunk) if (byte === 120) right++; })
          .on('close', () => {
            const { byReference, byCopy } = Page.stats();
            console.log(JSON.stringify({ right, byReference, byCopy }));
            server.close();
          });
      });
    `;
    const inject = ['-e', 'trace=sendfile', '-e', `inject=sendfile:error=${error}`];
    const words = ['-f', '-o', '/dev/null', ...inject, process.execPath, '--input-type=module', '-e', code];
    const { stdout, stderr } = spawnSync(strace ?? '', words);
    expect(stderr.toString()).toBe('');
    const expected = { right: 6_000_000, byReference: { times: 0, bytes: 0 }, byCopy: { times: 2, bytes: 6_000_000 } };
    expect(JSON.parse(stdout.toString())).toEqual(expected);
  });
});
