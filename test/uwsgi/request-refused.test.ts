/** `request()` where the server has answered and closed, and takes no more of the request: the answer counts. */
import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { request, type RequestTarget } from 'nearwire/uwsgi';
import { failure } from '../support/files.js';
import { listen, pattern } from '../support/sockets.js';
import { families } from '../support/subjects.js';

const LENGTH = 100_000;

const WAYS = (['native', 'js'] as const).flatMap((transport) => families.map((family) => ({ transport, family })));

describe.each(WAYS)('request() on $transport over $family, refused by a server that has closed', (way) => {
  const { transport, family } = way;

  /**
   * Two writes of the body come between the server's close and the client's next look at its socket: one to be answered
   * with a reset over TCP, one that fails.
   */
  async function refused(answer: Buffer): Promise<{ to: RequestTarget; body: Readable }> {
    let closed: (() => void) | undefined;
    const whenClosed = new Promise<void>((resolve) => (closed = resolve));
    const server = createServer((socket: Socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(answer);
        socket.destroy();
        closed?.();
      });
    });
    async function* pieces(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(10);
      await whenClosed;
      for (let i = 0; i < (LENGTH - 10) / 10_000 - 1; i++) yield Buffer.alloc(10_000);
    }
    const { path, port = 0 } = await listen(server, family);
    const to = path === undefined ? { port, transport } : { path, transport };
    return { to, body: Readable.from(pieces()) };
  }

  const options = (body: Readable) => ({ method: 'POST', headers: { 'Content-Length': LENGTH }, body });
  const content = pattern(50_000);

  it('gets its answer, whatever says how long that is', async () => {
    const chunked = Buffer.concat([Buffer.from('c350\r\n'), content, Buffer.from('\r\n0\r\n\r\n')]);
    for (const [header, bytes] of [
      ['Content-Length: 50000', content],
      ['Transfer-Encoding: chunked', chunked],
    ] as const) {
      const { to, body } = await refused(Buffer.concat([Buffer.from(`HTTP/1.1 413 No\r\n${header}\r\n\r\n`), bytes]));
      const answer = await request(to, options(body));
      expect(answer.statusCode).toBe(413);
      expect((await buffer(answer.body)).equals(content)).toBe(true);
      expect(body.destroyed).toBe(true);
    }
  });

  it('tells of an answer that is none, and why', async () => {
    const { to, body } = await refused(Buffer.from('HTTP/1.1 413'));
    expect(await failure(request(to, options(body)))).toMatchObject({
      code: 'ERR_NEARWIRE_UWSGI_NO_RESPONSE',
      cause: { syscall: 'write' },
    });
    expect(body.destroyed).toBe(true);
  });

  it('tells of an answer that is cut short', async () => {
    const { to, body } = await refused(Buffer.from('HTTP/1.1 413 No\r\nContent-Length: 50\r\n\r\nno'));
    const answer = await request(to, options(body));
    const { code } = (await failure(buffer(answer.body))) as NodeJS.ErrnoException;
    expect(code).toMatch(family === 'unix' ? /SHORT_BODY/ : /SHORT_BODY|ECONNRESET/);
  });
});
