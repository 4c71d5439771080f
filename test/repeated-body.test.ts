/** Buffers that are written again and again: the same bytes arrive, whoever the kernel has them from. */
import { once } from 'node:events';
import * as net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { configure, Page } from 'nearwire';
import { ChannelServer } from 'nearwire/channel';
import { request, target } from './support/http.js';
import { collectUntil, pageDescriptors, sealed } from './support/pages.js';
import { cleanup, closeAtEnd, listen, pair, pattern, readAll, readBytes, socketPath } from './support/sockets.js';
import { everyWay, type Subject } from './support/subjects.js';

const MIB = 1024 * 1024;
const LEAST = 64 * 1024;
/** The fourth write of a Buffer is the first that may go by reference. */
const BEFORE = 3;
const LIMIT = 64 * MIB;

const refers = (subject: Subject): boolean => subject.name === 'native' && sealed;
const repeated = (): number => Page.stats().repeated.times;

/** Writes it, and answers what has come of it. */
async function sent({ client, peer }: { client: net.Socket; peer: net.Socket }, bytes: Buffer): Promise<Buffer> {
  client.write(bytes);
  return readBytes(peer, bytes.length);
}

afterEach(() => {
  configure({ repeatLimit: LIMIT });
});

describe.each(everyWay)('a Buffer written again: $name over $family', ({ subject, family }) => {
  it('arrives each time, from the fourth on without being copied', async () => {
    const ends = await pair(subject, family);
    const bytes = pattern(MIB + 5);
    const before = Page.stats();
    for (let i = 0; i < 8; i++) expect((await sent(ends, bytes)).equals(bytes)).toBe(true);
    expect(ends.client.bytesWritten).toBe(8 * bytes.length);
    const { repeated: found, byReference } = Page.stats();
    expect(found.times - before.repeated.times).toBe(refers(subject) ? 8 - BEFORE : 0);
    expect(found.bytes - before.repeated.bytes).toBe(refers(subject) ? (8 - BEFORE) * bytes.length : 0);
    expect(byReference.times - before.byReference.times).toBe(refers(subject) ? 8 - BEFORE : 0);
  });

  it('arrives as it is now, if it has changed; such a one is never referred to again', async () => {
    const ends = await pair(subject, family);
    const bytes = pattern(LEAST);
    for (let i = 0; i < 6; i++) await sent(ends, bytes);
    const before = repeated();
    for (let i = 0; i < 6; i++) {
      bytes[i * 1000] = i;
      expect((await sent(ends, bytes)).equals(bytes)).toBe(true);
    }
    for (let i = 0; i < 6; i++) expect((await sent(ends, bytes)).equals(bytes)).toBe(true);
    expect(repeated()).toBe(before);
  });

  it('stands in its turn among other writes, under backpressure too', async () => {
    const { client, peer } = await pair(subject, family);
    const all = readAll(peer);
    const bytes = pattern(300_000, 3);
    const expected: Buffer[] = [];
    for (let i = 0; i < 28; i++) {
      if (i % 7 === 0) client.cork();
      for (const part of [Buffer.from(`head ${String(i)}`), bytes, pattern(20_000, i)]) {
        expected.push(part);
        client.write(part);
      }
      if (i % 7 === 2) client.uncork();
      if (i % 7 === 5 && client.writableNeedDrain) await once(client, 'drain');
    }
    client.end(bytes);
    expected.push(bytes);
    expect((await all).equals(Buffer.concat(expected))).toBe(true);
  });

  it('may be filled anew as soon as the kernel has it', async () => {
    const { client, peer } = await pair(subject, family);
    const bytes = pattern(2 * MIB);
    const wanted = Buffer.concat(Array.from({ length: 8 }, () => pattern(2 * MIB)));
    const all = readAll(peer);
    for (let i = 0; i < 8; i++) {
      await new Promise((resolve) => client.write(bytes, resolve));
      bytes.fill(0);
      bytes.set(pattern(2 * MIB));
    }
    client.end();
    expect((await all).equals(wanted)).toBe(true);
  });
});

describe.skipIf(!sealed)('sealed copies of repeated Buffers', () => {
  const subject = everyWay.find((way) => refers(way.subject))?.subject as Subject;

  /** Writes of these Buffers that went by reference. */
  async function referred(buffers: Buffer[], rounds = 6): Promise<number> {
    const ends = await pair(subject, 'unix');
    const before = repeated();
    for (let i = 0; i < rounds; i++) for (const bytes of buffers) await sent(ends, bytes);
    return repeated() - before;
  }

  it('are made of large Buffers only, and of whole ones', async () => {
    const ends = await pair(subject, 'unix');
    const bytes = pattern(2 * LEAST);
    expect(await referred([pattern(LEAST - 1)])).toBe(0);
    const before = repeated();
    for (let i = 0; i < 6; i++) await sent(ends, bytes.subarray(0, LEAST));
    expect(repeated()).toBe(before);
  });

  it('are made for many connections that are told the same', async () => {
    const bytes = pattern(MIB);
    const ends = await Promise.all(Array.from({ length: 10 }, () => pair(subject, 'unix')));
    const before = repeated();
    const got = await Promise.all(ends.map(async (both) => sent(both, bytes)));
    expect(got.every((one) => one.equals(bytes))).toBe(true);
    expect(repeated() - before).toBe(10 - BEFORE);
  });

  it('are not made where the limit is 0, nor beyond it', async () => {
    configure({ repeatLimit: 0 });
    expect(await referred([pattern(LEAST)])).toBe(0);
    configure({ repeatLimit: 3 * LEAST - 1 });
    await collectUntil(() => pageDescriptors().length === 0);
    const buffers = [pattern(LEAST), pattern(LEAST, 2), pattern(LEAST, 3), pattern(3 * LEAST)];
    expect(await referred(buffers)).toBe(2 * 3);
    expect(Page.stats().bytes).toBeLessThanOrEqual(3 * LEAST - 1);
    for (const wrong of [-1, 1.5, Number.NaN, Infinity]) {
      expect(() => {
        configure({ repeatLimit: wrong });
      }).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    }
  });

  it('make room for others once they are sent no more', async () => {
    await collectUntil(() => pageDescriptors().length === 0);
    configure({ repeatLimit: LEAST });
    const first = pattern(LEAST);
    const second = pattern(LEAST, 2);
    expect(await referred([first])).toBe(3);
    expect(await referred([second])).toBe(0);
    const ends = await pair(subject, 'unix');
    for (let i = 0; i < 1000; i++) await sent(ends, pattern(LEAST, 3));
    expect(await referred([second])).toBeGreaterThan(0);
    expect(await referred([first])).toBe(0);
  });

  it('go with the Buffers that they are of', async () => {
    await collectUntil(() => pageDescriptors().length === 0);
    await (async () => {
      expect(await referred([pattern(MIB)])).toBe(3);
      expect(pageDescriptors().length).toBe(1);
    })();
    await collectUntil(() => pageDescriptors().length === 0);
  });

  it('are not made where pages have come to their limit, and nothing is lost', async () => {
    const { limit } = Page.stats();
    configure({ pageLimit: 0 });
    cleanup(() => {
      configure({ pageLimit: limit });
    });
    expect(await referred([pattern(LEAST)])).toBe(0);
  });

  it('are sent by channels, and as bodies of http', async () => {
    const bytes = pattern(MIB);
    const before = repeated();
    const path = socketPath();
    await new Promise<ChannelServer>((resolve) => {
      const server = ChannelServer.listen(
        { path, transport: 'native' },
        {
          onListening: resolve,
          onConnection(channel) {
            for (let i = 0; i < 6; i++) channel.write(bytes);
            channel.write(bytes, 0, LEAST);
            channel.end();
          },
        },
      );
      cleanup(() => {
        server.close();
      });
    });
    const wanted = Buffer.concat([...Array.from({ length: 6 }, () => bytes), bytes.subarray(0, LEAST)]);
    expect((await readAll(net.connect(path))).equals(wanted)).toBe(true);
    expect(repeated() - before).toBe(3);
    const server = subject.http.createServer({}, (_request, response) => {
      response.end(bytes);
    });
    closeAtEnd(server);
    const address = await listen(server, 'unix');
    for (let i = 0; i < 3; i++) {
      const answer = await request(target(address));
      expect(answer.body.equals(bytes)).toBe(true);
    }
    expect(repeated() - before).toBe(6);
  });
});
