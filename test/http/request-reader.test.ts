/** The reader of plain requests by itself: what turns it off, and the way in that needs no chunk. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createServer } from 'nearwire/http';
import { runChild } from '../support/children.js';
import { PLAIN_REQUEST } from '../support/conversations.js';
import { listen } from '../support/sockets.js';
import { reference, subjects } from '../support/subjects.js';
import { isLoneHead } from '../../src/http/lone-head.js';

interface Reader {
  takeInPlace(memory: Buffer, start: number, end: number): boolean;
}

function readerOf(socket: Socket): Reader | undefined {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'reader');
  return key === undefined ? undefined : (socket as unknown as Record<symbol, Reader>)[key];
}

const library = new URL('../../dist/bundle/http.js', import.meta.url).href;

/** Says whether a connection has a reader. */
const CONNECTION = `
  const { createServer: createHttpServer } = await import(${JSON.stringify(library)});
  const server = createHttpServer((request, response) => {
    const keys = Object.getOwnPropertySymbols(request.socket).map(({ description }) => description);
    response.end();
    say(keys.includes('reader'));
    server.close();
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  connect({ port: server.address().port, host: '127.0.0.1' }).resume().end(${JSON.stringify(PLAIN_REQUEST)});
`;

const natives = subjects.filter(({ name }) => name === 'native');

describe.each(natives)('the request reader: $name', () => {
  it.each([
    ['0', false],
    ['1', true],
  ])('NEARWIRE_REQUEST_READER=%s', async (value, isThere) => {
    const { said } = await runChild(
      'native',
      `process.env.NEARWIRE_HTTP = 'node'; process.env.NEARWIRE_REQUEST_READER = '${value}';${CONNECTION}`,
    );
    expect(said).toEqual([isThere]);
  });

  it('takes a plain message from where it lies, and leaves all else', async () => {
    const seen: string[] = [];
    const server = createServer({ engine: 'node', transport: 'native' }, (request, response) => {
      request.on('data', (chunk: Buffer) => {
        expect(chunk.buffer.byteLength).toBe(chunk.length);
        seen.push(`${String(request.url)} ${chunk.toString()}`);
      });
      request.on('end', () => {
        seen.push(`${String(request.url)} end`);
        response.end(request.url);
      });
    });
    const address = await listen(server, 'unix');
    const accepted = once(server, 'connection');
    const client = reference.connect(address);
    let text = '';
    client.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    const heard = async (what: string): Promise<void> => {
      while (!text.endsWith(what)) await once(client, 'data');
      text = '';
    };
    const [peer] = (await accepted) as [Socket];
    const reader = readerOf(peer) as Reader;
    const take = (bytes: string): boolean => {
      const memory = Buffer.from(`before${bytes}behind`, 'latin1');
      const taken = reader.takeInPlace(memory, 6, memory.length - 6);
      memory.fill(0);
      return taken;
    };
    const post = 'POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n';
    // The first two reads are node's parser's. A head that comes alone it is given where it lies.
    expect(take(`${post}he`)).toBe(false);
    expect(take(PLAIN_REQUEST)).toBe(true);
    await heard('/before');
    expect(take(PLAIN_REQUEST)).toBe(true);
    await heard('/before');
    seen.length = 0;
    expect(take(PLAIN_REQUEST.slice(0, -1))).toBe(false);
    expect(take(PLAIN_REQUEST + PLAIN_REQUEST)).toBe(false);
    expect(take(`${post}hello!`)).toBe(false);
    expect(take(PLAIN_REQUEST)).toBe(true);
    await heard('/before');
    expect(take(`${post}he`)).toBe(true);
    expect(take('lloo')).toBe(false);
    expect(take('llo')).toBe(true);
    await heard('/post');
    expect(seen).toEqual(['/before end', '/post he', '/post llo', '/post end']);
    // Somebody else wants to see the bytes.
    peer.on('data', () => undefined);
    expect(take(PLAIN_REQUEST)).toBe(false);
    client.destroy();
  });
});

describe('a head that comes alone', () => {
  const HEAD = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

  it.each<[string, boolean]>([
    [HEAD, true],
    ['a\r\n\r\n', true],
    ['', false],
    [HEAD.slice(0, -1), false],
    [HEAD.slice(0, -2), false],
    [`${HEAD}x`, false],
    [HEAD + HEAD, false],
    [`\r\n${HEAD}`, false],
    ['\r\n\r\n', false],
    // Where a lenient parser may see the empty line earlier.
    ['GET / HTTP/1.1\nHost: x\r\n\r\n', false],
    ['GET / HTTP/1.1\r\nHost: x\n\nbody\r\n\r\n', false],
    ['GET / HTTP/1.1\r\nHost: x\r\rbody\r\n\r\n', false],
    ['GET / HTTP/1.1\r\nHost: x\r\n\nbody\r\n\r\n', false],
  ])('%j: %s', (text, expected) => {
    const memory = Buffer.from(`\r\n${text}\r\n`, 'latin1');
    expect(isLoneHead(memory, 2, memory.length - 2)).toBe(expected);
  });
});
