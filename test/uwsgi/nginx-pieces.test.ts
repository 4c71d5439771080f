/** When nginx hands on the pieces of an answer whose length is not known: docs/uwsgi.md, "nginx's settings". */
import { EventEmitter, once } from 'node:events';
import * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import { requireOrSkip } from '../support/requirements.js';
import { startFronts } from '../support/uwsgi/comparison.js';

const nginx = requireOrSkip('nginx');

/** Asks, and notes each piece as it comes. */
function watch(socketPath: string, pieces: string[]): { first: Promise<unknown>; end: Promise<unknown> } {
  const request = http.get({ socketPath, agent: false });
  const answered = (once(request, 'response') as Promise<[http.IncomingMessage]>).then(([response]) => {
    response.on('data', (piece: Buffer) => pieces.push(piece.toString()));
    return { first: once(response, 'data'), end: once(response, 'end') };
  });
  return { first: answered.then(({ first }) => first), end: answered.then(({ end }) => end) };
}

describe.skipIf(nginx === undefined)('the first piece of an answer of unknown length', () => {
  it.each([
    ['the answer says X-Accel-Buffering: no', [], { 'X-Accel-Buffering': 'no' }],
    ['uwsgi_buffering is off', ['uwsgi_buffering off;'], {}],
  ])('comes before the second is written where %s', async (_, lines, headers) => {
    const responses: http.ServerResponse[] = [];
    const { uwsgi } = await startFronts(nginx ?? '', {
      lines,
      handler: (_request, response) => {
        responses.push(response);
        response.writeHead(200, headers).write('first');
      },
    });
    const pieces: string[] = [];
    const { first, end } = watch(uwsgi, pieces);
    await first;
    expect(pieces).toEqual(['first']);
    responses[0]?.end('second');
    await end;
    expect(pieces).toEqual(['first', 'second']);
  });

  it('is held by nginx until the end by default, and not by proxy_pass with HTTP/1.1', async () => {
    const responses: http.ServerResponse[] = [];
    const written = new EventEmitter();
    const bothWritten = once(written, 'both');
    const { uwsgi, proxy } = await startFronts(nginx ?? '', {
      handler: (_request, response) => {
        response.write('first', () => {
          if (responses.push(response) === 2) written.emit('both');
        });
      },
    });
    const [byUwsgi, byProxy] = [[], []] as [string[], string[]];
    const held = watch(uwsgi, byUwsgi);
    const given = watch(proxy, byProxy);
    await bothWritten;
    await given.first;
    expect([byUwsgi, byProxy]).toEqual([[], ['first']]);
    for (const response of responses) response.end('second');
    await Promise.all([held.end, given.end]);
    expect([byUwsgi.join(''), byProxy.join('')]).toEqual(['firstsecond', 'firstsecond']);
  });
});
