/**
 * Bodies that become strings: the engine lends them to node's decoder where they lie (src/node/decoding.ts), and only where
 * nothing but the decoder sees them. What a program keeps stays what it was, whatever is read after it.
 */
import { once } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { describe, expect, it } from 'vitest';
import { loopTurner } from '../support/nested-loop.js';
import { cleanup, listen, nextTurn } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';
import { post } from './engine-requests.js';

const LENGTH = 1200;
const OTHERS = 4;
/** Characters of one to four bytes. */
const TEXT = 'aé€😀'.repeat(200);

type Handle = (request: http.IncomingMessage, done: (body: string) => void) => void;

/** Serves what `handle` makes of each body. */
function serve(subject: (typeof everyWay)[number]['subject'], handle: Handle): http.Server {
  return subject.http.createServer({}, (request, response) => {
    handle(request, (body) => response.end(body));
  });
}

async function connect(server: http.Server, family: 'unix' | 'tcp'): Promise<() => net.Socket> {
  const address = await listen(server, family);
  return () => {
    const client = net.connect(address as net.NetConnectOpts);
    cleanup(() => client.destroy());
    return client;
  };
}

/** Waits for a response, and returns its body. */
async function answer(client: net.Socket, length: number): Promise<string> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const [piece] = (await once(client, 'data')) as [Buffer];
    bytes = Buffer.concat([bytes, piece]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end >= 0 && bytes.length >= end + 4 + length) return bytes.toString('utf8', end + 4);
  }
}

/** Requests of other connections, whose bytes are read to where those of the ones before were. */
async function overwrite(connectOne: () => net.Socket): Promise<void> {
  for (let i = 0; i < OTHERS; i++) {
    const client = connectOne();
    client.write(post(LENGTH) + '!'.repeat(LENGTH));
    await once(client, 'data');
  }
}

describe.each(everyWay)('a body as text: $name over $family', ({ subject, family }) => {
  it.each(['utf8', 'latin1', 'utf16le', 'base64', 'hex'] as const)(
    '%s, whole and cut at every byte',
    async (encoding) => {
      const server = serve(subject, (request, done) => {
        let text = '';
        request.setEncoding(encoding).on('data', (piece: string) => (text += piece));
        request.on('end', () => {
          done(text);
        });
      });
      const connectOne = await connect(server, family);
      const bytes = Buffer.from(TEXT.slice(0, 20));
      const expected = bytes.toString(encoding);
      const request = Buffer.concat([Buffer.from(post(bytes.length)), bytes]);
      const client = connectOne();
      for (let cut = request.length; cut > request.length - bytes.length; cut--) {
        client.write(request.subarray(0, cut));
        if (cut < request.length) {
          await nextTurn();
          client.write(request.subarray(cut));
        }
        expect(await answer(client, Buffer.byteLength(expected))).toBe(expected);
      }
    },
  );

  it('is that of its own request where several come in one read', async () => {
    const server = serve(subject, (request, done) => {
      let text = '';
      request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      request.on('end', () => setImmediate(done, text));
    });
    const client = (await connect(server, family))();
    const bodies = ['first', 'second body', 'the third'];
    client.write(bodies.map((body) => post(body.length) + body).join(''));
    let text = '';
    while (!text.endsWith('the third')) text += String(((await once(client, 'data')) as [Buffer])[0]);
    expect(text.split(/HTTP[^]*?\r\n\r\n/).slice(1)).toEqual(bodies);
  });

  it('stays what it was: a string, or what a `push` of the program saw', async () => {
    const strings: string[] = [];
    const pieces: Buffer[] = [];
    const server = serve(subject, (request, done) => {
      if (request.headers['x-kept'] !== undefined) {
        const { push } = request;
        request.push = (piece: unknown, encoding?: BufferEncoding) => {
          if (piece instanceof Buffer) pieces.push(piece);
          return push.call(request, piece, encoding);
        };
      }
      request.setEncoding('latin1').on('data', (piece: string) => strings.push(piece));
      request.on('end', () => {
        done('done');
      });
    });
    const connectOne = await connect(server, family);
    const client = connectOne();
    client.write(post(LENGTH).replace('Host', 'X-Kept: 1\r\nHost') + 'x'.repeat(LENGTH));
    await answer(client, 4);
    await overwrite(connectOne);
    expect(Buffer.concat(pieces).toString()).toBe('x'.repeat(LENGTH));
    expect(strings.join('')).toBe('x'.repeat(LENGTH) + '!'.repeat(LENGTH * OTHERS));
  });

  it('stays what it was to a program that has replaced the decoder', async () => {
    const pieces: Buffer[] = [];
    const { write } = StringDecoder.prototype;
    cleanup(() => {
      StringDecoder.prototype.write = write;
    });
    StringDecoder.prototype.write = function (piece: NodeJS.ArrayBufferView | string) {
      if (piece instanceof Buffer) pieces.push(piece);
      return write.call(this, piece as Buffer);
    };
    const server = serve(subject, (request, done) => {
      request.setEncoding('utf8').resume();
      request.on('end', () => {
        done('done');
      });
    });
    const connectOne = await connect(server, family);
    const client = connectOne();
    client.write(post(LENGTH) + 'x'.repeat(LENGTH));
    await answer(client, 4);
    const kept = pieces.splice(0);
    await overwrite(connectOne);
    expect(Buffer.concat(kept).toString()).toBe('x'.repeat(LENGTH));
  });

  it.each([true, false])(
    'is whole where its handler turns the loop, which reads for others (decoded: %s)',
    async (decoded) => {
      const turn = loopTurner();
      if (turn === undefined) return;
      let isTurning = false;
      const server = serve(subject, (request, done) => {
        const pieces: Buffer[] = [];
        if (decoded) request.setEncoding('utf8');
        request.on('data', (piece: Buffer | string) => pieces.push(Buffer.from(piece as string)));
        request.on('end', () => {
          done(Buffer.concat(pieces).toString());
        });
        if (request.headers['x-turn'] === undefined || isTurning) return;
        isTurning = true;
        for (let i = 0; i < OTHERS; i++) turn();
        isTurning = false;
      });
      const connectOne = await connect(server, family);
      const others = Array.from({ length: OTHERS }, connectOne);
      const client = connectOne();
      await Promise.all([client, ...others].map((socket) => once(socket, 'connect')));
      const answers = others.map((other) => answer(other, LENGTH));
      client.write(post(LENGTH).replace('Host', 'X-Turn: 1\r\nHost') + 'x'.repeat(LENGTH));
      for (const other of others) other.write(post(LENGTH) + '!'.repeat(LENGTH));
      expect(await answer(client, LENGTH)).toBe('x'.repeat(LENGTH));
      for (const text of await Promise.all(answers)) expect(text).toBe('!'.repeat(LENGTH));
    },
  );
});
