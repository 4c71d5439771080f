/** What handlers can rely on with node:http's requests and responses holds for ours: each is run by both. */
import { Readable, finished } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import {
  BIG,
  caught,
  note,
  noteAll,
  outcomesOf,
  POST,
  stateOf,
  transports,
  type ContractCase,
} from '../support/uwsgi/contract-cases.js';

const cases: ContractCase[] = [
  ['end with a string', (_req, res) => res.end('h\u00e9llo \u{1f600}')],
  ['end with a Buffer', (_req, res) => res.end(Buffer.from([0, 255, 1]))],
  ['end with a Uint8Array', (_req, res) => res.end(new Uint8Array([1, 2, 3]))],
  ['end with an encoding', (_req, res) => res.end('68656c6c6f', 'hex')],
  ['end in latin1', (_req, res) => res.end('\u00e9', 'latin1')],
  ['end with nothing', (_req, res) => res.end()],
  ['end with an empty string', (_req, res) => res.end('')],
  ['end with what is no chunk', (_req, res, log) => (caught(log, () => res.end(5 as never)), res.end('x'))],
  ['end with null', (_req, res) => res.end(null)],
  ['write null', (_req, res, log) => (caught(log, () => res.write(null)), res.end())],
  ['callbacks of end', (_req, res, log) => res.end('x', () => log.push(`ended ${stateOf(res)}`))],
  ['a callback alone', (_req, res, log) => res.end(() => log.push('ended'))],
  [
    'callbacks of writes',
    (_req, res, log) => {
      res.write('a', () => log.push('a'));
      res.write('b', 'latin1', () => log.push('b'));
      res.end('c', 'utf8', () => log.push('c'));
    },
  ],
  [
    'the states of a response',
    (_req, res, log) => {
      log.push(stateOf(res));
      res.setHeader('X-A', '1');
      log.push(stateOf(res), JSON.stringify([res.getHeader('x-a'), res.hasHeader('X-a'), res.getHeaderNames()]));
      res.write('a');
      log.push(String(res.headersSent));
      res.end('b');
      // Not whether it is finished: node hands it over at once, we do so with the rest of the turn.
      log.push(String(res.writableEnded), String(res.headersSent));
      res.on('finish', () => log.push(stateOf(res), String(res.socket === null)));
      res.on('close', () => log.push(stateOf(res)));
    },
  ],
  ['events', (req, res, log) => (noteAll(req, res, log), res.end('x'))],
  ['events of an answer in pieces', (req, res, log) => (noteAll(req, res, log), res.write('x'), res.end())],
  ['events with a body that is not read', (req, res, log) => (noteAll(req, res, log), res.end('x')), POST],
  [
    'events with a body that is read',
    (req, res, log) => {
      noteAll(req, res, log);
      req.on('data', (chunk: Buffer) => log.push(`data ${String(chunk)}`));
      req.on('end', () => {
        log.push(`complete ${String(req.complete)}`);
        res.end('x');
      });
    },
    POST,
  ],
  [
    'a request without a body, read',
    (req, res, log) => {
      noteAll(req, res, log);
      req.on('end', () => res.end('ended'));
      req.resume();
    },
  ],
  [
    'a request without a body, read later',
    (req, res, log) => {
      setImmediate(() => {
        log.push(JSON.stringify([req.complete, req.readable, req.readableEnded, req.readableLength, req.destroyed]));
        noteAll(req, res, log);
        req.on('readable', () => log.push(`readable ${String(req.read())}`));
        req.on('end', () => res.end('ended'));
      });
    },
  ],
  [
    'for await over the body',
    async (req, res) => {
      let size = 0;
      for await (const chunk of req) size += (chunk as Buffer).length;
      res.end(String(size));
    },
    BIG,
  ],
  ['an echo by pipe', (req, res) => req.pipe(res), BIG],
  [
    'an echo by pipeline',
    async (req, res, log) => {
      await pipeline(req, res);
      log.push('done');
    },
    BIG,
  ],
  [
    'an echo by web streams',
    async (req, res) => {
      for await (const chunk of Readable.toWeb(req)) res.write(chunk);
      res.end();
    },
    BIG,
  ],
  [
    'finished() of both',
    (req, res, log) => {
      finished(req, (error) => log.push(`req finished ${String(error?.code)}`));
      finished(res, (error) => log.push(`res finished ${String(error?.code)}`));
      req.resume();
      res.end('x');
    },
    POST,
  ],
  [
    'setEncoding',
    (req, res) => {
      req.setEncoding('hex');
      req.on('data', (text: string) => res.write(text));
      req.on('end', () => res.end());
    },
    POST,
  ],
  ['writeHead with an object', (_req, res) => res.writeHead(201, { 'X-A': 'b', 'x-c': ['d', 'e'] }).end('x')],
  ['writeHead with an array', (_req, res) => res.writeHead(201, ['X-A', 'b', 'x-c', 'd']).end('x')],
  ['writeHead with a reason', (_req, res) => res.writeHead(299, 'Very fine', { A: 1 }).end('x')],
  [
    'writeHead over setHeader',
    (_req, res) => (res.setHeader('A', '1'), res.writeHead(200, { a: '2', B: '3' }).end('x')),
  ],
  ['writeHead twice', (_req, res, log) => (res.writeHead(200), caught(log, () => res.writeHead(200)), res.end())],
  ['writeHead with a bad status', (_req, res, log) => (caught(log, () => res.writeHead(99)), res.end())],
  ['writeHead with a bad name', (_req, res, log) => (caught(log, () => res.writeHead(200, { 'a b': 'c' })), res.end())],
  [
    'writeHead with a bad value',
    (_req, res, log) => (caught(log, () => res.writeHead(200, { a: 'b\r\nc' })), res.end()),
  ],
  [
    'a bad reason',
    (_req, res, log) => {
      res.statusMessage = 'a\nb';
      caught(log, () => res.end('x'));
      res.statusMessage = 'ok';
      res.end('x');
    },
  ],
  [
    'setHeader with bad names and values',
    (_req, res, log) => {
      caught(log, () => res.setHeader('a b', 'c'));
      caught(log, () => res.setHeader('a', 'b\n'));
      caught(log, () => res.setHeader('a', undefined as never));
      res.end();
    },
  ],
  [
    'setHeader after the head',
    (_req, res, log) => {
      res.write('x');
      caught(log, () => res.setHeader('a', 'b'));
      caught(log, () => {
        res.removeHeader('a');
      });
      caught(log, () => res.appendHeader('a', 'b'));
      res.end();
    },
  ],
  [
    'several values',
    (_req, res) => {
      res.setHeader('Set-Cookie', ['a=1', 'b=2']);
      res.setHeader('cookie', ['a=1', 'b=2']);
      res.appendHeader('X-More', '1');
      res.appendHeader('X-More', '2');
      res.end('x');
    },
  ],
  [
    'setHeaders',
    (_req, res) => (
      res.setHeaders(
        new Map([
          ['a', '1'],
          ['b', '2'],
        ]),
      ),
      res.end('x')
    ),
  ],
  ['no date', (_req, res) => (res.removeHeader('date'), res.end('x'))],
  ['a date of its own', (_req, res) => (res.setHeader('Date', 'Thu, 01 Jan 1970 00:00:00 GMT'), res.end('x'))],
  ['a length of its own', (_req, res) => (res.setHeader('Content-Length', 3), res.write('a'), res.end('bc'))],
  ['a length that is removed', (_req, res) => (res.removeHeader('Content-Length'), res.end('abc'))],
  ['chunks, asked for', (_req, res) => (res.setHeader('Transfer-Encoding', 'chunked'), res.end('abc'))],
  ['chunks, asked for by writeHead', (_req, res) => res.writeHead(200, { 'Transfer-Encoding': 'chunked' }).end('abc')],
  ['another transfer coding', (_req, res) => (res.setHeader('Transfer-Encoding', 'gzip'), res.end('abc'))],
  ['a length that is too long', (_req, res) => res.setHeader('Content-Length', 5).end('abc')],
  ['a length that is too short', (_req, res) => res.setHeader('Content-Length', 2).end('abc')],
  ['a length that is none', (_req, res) => res.setHeader('Content-Length', 'abc').end('abc')],
  [
    'a length that is too short, of an answer in pieces',
    (_req, res) => (res.setHeader('Content-Length', 2), res.write('abc'), res.end('d')),
  ],
  [
    'a length that is not kept, strictly',
    (_req, res, log) => {
      res.strictContentLength = true;
      res.setHeader('Content-Length', 5);
      res.write('abc');
      caught(log, () => res.end());
      caught(log, () => res.end('de'));
    },
  ],
  [
    'content-disposition in latin1',
    (_req, res) => {
      res.setHeader('Content-Disposition', 'attachment; filename="\u00e9.txt"');
      res.end('x');
    },
  ],
  [
    'flushHeaders',
    (_req, res, log) => {
      res.flushHeaders();
      log.push(String(res.headersSent));
      setImmediate(() => res.end('later'));
    },
  ],
  [
    'cork and uncork',
    (_req, res, log) => {
      res.cork();
      res.write('a');
      log.push(String(res.writableCorked));
      res.uncork();
      res.end('b');
    },
  ],
  [
    'write after end',
    (_req, res, log) => {
      note(log, 'res', res, ['error']);
      res.end('x');
      log.push(String(res.write('y', (error) => log.push(`write ${String((error as NodeJS.ErrnoException).code)}`))));
      res.end('z', () => undefined);
    },
  ],
  ['end twice', (_req, res, log) => (res.end('x'), res.end(() => log.push('second')))],
  [
    'end after all',
    (_req, res, log) => {
      res.end('x');
      res.on('close', () =>
        res.end((error?: Error) => log.push(String((error as { code?: string } | undefined)?.code))),
      );
    },
  ],
  [
    'pipe from a response',
    (_req, res, log) => {
      note(log, 'res', res, ['error']);
      res.pipe(process.stdout);
      res.end();
    },
  ],
  [
    'HEAD with a body',
    (_req, res, log) => (noteAll(_req, res, log), res.write('x'), res.end('body')),
    { method: 'HEAD' },
  ],
  ['HEAD with end', (_req, res) => res.end('body'), { method: 'HEAD' }],
  ['204', (_req, res) => res.writeHead(204).end('body')],
  ['304', (_req, res) => (res.setHeader('ETag', '"a"'), res.writeHead(304).end())],
];

describe.each(transports)('as node:http does, on %s', (transport) => {
  it.each(cases)('%s', async (...one) => {
    const [ours, nodes] = await outcomesOf(transport, one);
    expect(ours).toEqual(nodes);
  });
});
