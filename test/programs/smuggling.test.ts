/**
 * Requests that hide another one, through real reverse proxies: what reaches the handler is what the client has sent, and
 * what reaches one behind node:http.
 */
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { startApache, startHaproxy, startNginx } from '../support/programs/daemons.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, closed, listen } from '../support/sockets.js';
import { families, reference, subjects, type Family, type Subject } from '../support/subjects.js';

const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: x\r\nX: ';
const AFTER = 'GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

const post = (fields: readonly string[], body: string, version = '1.1'): string =>
  [`POST /sent HTTP/${version}`, 'Host: x', ...fields, '', body].join('\r\n');

const LENGTH = `Content-Length: ${String(HIDDEN.length)}`;
const CHUNK = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;
const WHOLE_BODY = `0\r\n\r\n${HIDDEN}`;
const WHOLE = `Content-Length: ${String(WHOLE_BODY.length)}`;

/** Each is sent with another request behind it. */
const ATTEMPTS: Readonly<Record<string, string>> = {
  'a request in a body': post([LENGTH], HIDDEN),
  'a request in a chunk': post(['Transfer-Encoding: chunked'], CHUNK),
  'a request in a body of HTTP/1.0': post([LENGTH], HIDDEN, '1.0'),
  'both lengths': post([WHOLE, 'Transfer-Encoding: chunked'], WHOLE_BODY),
  'both lengths, the other way round': post(['Transfer-Encoding: chunked', WHOLE], WHOLE_BODY),
  'chunks, and a length of 0': post(['Content-Length: 0', 'Transfer-Encoding: chunked'], CHUNK),
  'a coding with a tab before it': post([WHOLE, 'Transfer-Encoding:\tchunked'], WHOLE_BODY),
  'a coding with a space before the colon': post([WHOLE, 'Transfer-Encoding : chunked'], WHOLE_BODY),
  'a coding with a vertical tab': post([WHOLE, 'Transfer-Encoding: \x0bchunked'], WHOLE_BODY),
  'a coding in quotes': post([WHOLE, 'Transfer-Encoding: "chunked"'], WHOLE_BODY),
  'a coding in capitals': post([WHOLE, 'Transfer-Encoding: CHUNKED'], WHOLE_BODY),
  'an unknown coding': post([WHOLE, 'Transfer-Encoding: xchunked'], WHOLE_BODY),
  'a coding of none': post([WHOLE, 'Transfer-Encoding: identity'], WHOLE_BODY),
  'two codings': post([WHOLE, 'Transfer-Encoding: chunked, identity'], WHOLE_BODY),
  'two lines of codings': post([WHOLE, 'Transfer-Encoding: identity', 'Transfer-Encoding: chunked'], WHOLE_BODY),
  'a coding in a folded line': post([WHOLE, 'X: y', ' Transfer-Encoding: chunked'], WHOLE_BODY),
  'a coding behind a bare LF': post([WHOLE, 'X: y\nTransfer-Encoding: chunked'], WHOLE_BODY),
  'a coding behind a bare CR': post([WHOLE, 'X: y\rTransfer-Encoding: chunked'], WHOLE_BODY),
  'a coding behind a NUL': post([WHOLE, 'X: y\0Transfer-Encoding: chunked'], WHOLE_BODY),
  'a coding of HTTP/1.0': post([WHOLE, 'Transfer-Encoding: chunked'], WHOLE_BODY, '1.0'),
  'two lengths': post([LENGTH, 'Content-Length: 0'], HIDDEN),
  'two lengths, the other way round': post(['Content-Length: 0', LENGTH], HIDDEN),
  'two lengths in one line': post([`${LENGTH}, 0`], HIDDEN),
  'a length with a sign': post([`Content-Length: +${String(HIDDEN.length)}`], HIDDEN),
  'a length with a space before the colon': post([`Content-Length : ${String(HIDDEN.length)}`], HIDDEN),
  'a length that is hexadecimal': post([`Content-Length: 0x${HIDDEN.length.toString(16)}`], HIDDEN),
  'a length beyond all': post(['Content-Length: 18446744073709551616'], HIDDEN),
  'a chunk whose size overflows': post(['Transfer-Encoding: chunked'], `10000000000000000\r\n${WHOLE_BODY}`),
  'a chunk whose size is negative': post(['Transfer-Encoding: chunked'], `-1\r\n${WHOLE_BODY}`),
  'a chunk extension with a bare LF': post(['Transfer-Encoding: chunked'], `0;a\nb\r\n\r\n${HIDDEN}`),
  'chunks that end with bare LFs': post(['Transfer-Encoding: chunked'], `0\n\n${HIDDEN}`),
  'a trailer that is a length': post(['Transfer-Encoding: chunked'], `0\r\n${LENGTH}\r\n\r\n`),
  'an upgrade that is not made': post(['Connection: Upgrade', 'Upgrade: websocket', LENGTH], HIDDEN),
  'an expectation': post(['Expect: 100-continue', LENGTH], HIDDEN),
  'a header that the connection drops': post(['Connection: Content-Length', LENGTH], HIDDEN),
  'a request line with a second one': `POST /sent HTTP/1.1\r\n GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n`,
  'a target with a second line': `GET /sent\rGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n`,
  'a body of GET': `GET /sent HTTP/1.1\r\nHost: x\r\n${LENGTH}\r\n\r\n${HIDDEN}`,
};

const FRONTS = [
  { front: 'nginx', start: startNginx },
  { front: 'haproxy', start: startHaproxy },
  { front: 'apache', start: startApache },
] as const;

/** What reaches a handler, request by request. */
interface App {
  readonly seen: string[];
  readonly front: net.TcpNetConnectOpts;
}

async function startApp(
  of: Subject,
  family: Family,
  start: (typeof FRONTS)[number]['start'],
  command: string,
): Promise<App> {
  const seen: string[] = [];
  const server = of.http.createServer({}, (request, response) => {
    let body = '';
    request.setEncoding('latin1');
    request.on('error', () => undefined);
    request.on('data', (text: string) => (body += text));
    request.on('end', () => {
      seen.push(`${String(request.method)} ${String(request.url)} ${JSON.stringify(body)}`);
      response.end('answer');
    });
  });
  const address = await listen(server, family);
  const daemon = await start(command, address as Parameters<typeof start>[1]);
  cleanup(() => daemon.stop());
  return { seen, front: daemon.address('tcp') as net.TcpNetConnectOpts };
}

/** Sends an attempt and the request behind it. A proxy that waits for more is told the end with its first answer. */
async function attempt({ seen, front }: App, bytes: string): Promise<string[]> {
  const client = net.connect(front);
  client.on('error', () => undefined);
  client.write(bytes + AFTER, 'latin1');
  client.once('data', () => client.end());
  await closed(client);
  // One that has come is told before this one, which is answered.
  const last = http.get({ host: front.host, port: front.port, path: '/last', agent: false });
  const [{ statusCode }] = (await once(last, 'response')) as [http.IncomingMessage];
  last.destroy();
  expect(statusCode).toBe(200);
  // How much of what comes behind the end is still served is the proxy's affair, and a matter of chance.
  return seen.splice(0).filter((request) => !/^GET \/(?:after|last) /.test(request));
}

for (const { front, start } of FRONTS) {
  const command = requireOrSkip(front);
  const native = subjects.filter(({ name }) => name === 'native');
  describe.skipIf(command === undefined || native.length === 0).each(families)(`behind ${front}, over %s`, (family) => {
    it('no request reaches a handler that the client has not sent', async () => {
      const [ours, nodes] = await Promise.all(
        [native[0] as Subject, reference].map((of) => startApp(of, family, start, command ?? '')),
      );
      let reached = 0;
      for (const [name, bytes] of Object.entries(ATTEMPTS)) {
        const [seen, expected] = [await attempt(ours as App, bytes), await attempt(nodes as App, bytes)];
        expect(seen, name).toEqual(expected);
        for (const request of seen) expect(request, name).not.toMatch(/^\w+ \/hidden/);
        reached += seen.length;
      }
      // The proxies refuse the others.
      expect(reached).toBeGreaterThan(5);
    });
  });
}
