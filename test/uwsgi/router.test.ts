/** examples/uwsgi/router.mjs before a uwsgi server of our own, asked byte by byte. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { cleanup, socketPath } from '../support/sockets.js';
import { askRaw } from '../support/uwsgi/packets.js';
import { bodyOf, serveUwsgi } from '../support/uwsgi/serve.js';

const ROUTER = fileURLToPath(new URL('../../examples/uwsgi/router.mjs', import.meta.url));

it('drops what is about one connection, in both directions', async () => {
  const { target } = await serveUwsgi({}, async (req) => {
    const body = JSON.stringify([req.rawHeaders, (await bodyOf(req)).toString()]);
    // Past the response, which drops some of these by itself.
    const head = 'Connection: close, X-Hop\r\nKeep-Alive: timeout=9\r\nX-Hop: 1\r\nTE: a\r\nUpgrade: h2c\r\nX-End: 1';
    req.socket.end(`HTTP/1.1 200 OK\r\n${head}\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`);
  });
  const path = socketPath();
  const router = spawn(process.execPath, [ROUTER, target.path ?? '', path], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanup(() => router.kill('SIGKILL'));
  await once(router.stdout, 'data');
  const hop = 'Connection: close, X-Mine\r\nKeep-Alive: 1\r\nX-Mine: 1\r\nTE: trailers\r\nX-Kept: 1';
  const request = `POST / HTTP/1.1\r\nHost: a\r\n${hop}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`;
  const [head = '', body = ''] = (await askRaw({ path }, Buffer.from(request))).toString().split('\r\n\r\n');
  const names = head
    .split('\r\n')
    .slice(1)
    .map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
  expect(names.sort()).toEqual(['connection', 'content-length', 'date', 'x-end']);
  expect(head).toMatch(/^Connection: close$/m);
  const [rawHeaders, sent] = JSON.parse(body) as [string[], string];
  expect(rawHeaders.filter((_, i) => i % 2 === 0).sort()).toEqual(['content-length', 'host', 'x-kept']);
  expect(sent).toBe('body');
});
