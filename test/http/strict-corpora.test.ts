/**
 * The cases of Http11Probe that check a MUST: a strict server fails none of them. NEARWIRE_CORPORA is a folder with its
 * checkout (test/README.md).
 */
import { join } from 'node:path';
import type * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import { strictWays } from '../support/strict.js';
import { reference, type Subject } from '../support/subjects.js';
import { probeCases, type Outcome } from './probe-cases.js';
import type { Setting } from './talk.js';
import { recordsOf } from './vectors-compare.js';

const directory = process.env['NEARWIRE_CORPORA'];
const cases = directory === undefined ? [] : probeCases(join(directory, 'Http11Probe'));

/** As the probe's own servers: bodies come back, and so do headers at /echo. */
function respond(request: http.IncomingMessage, response: http.ServerResponse, body: string): void {
  const fields = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}\n`);
  if (request.url === '/echo') response.end(fields.join(''));
  else response.end(request.method === 'POST' ? body : 'OK');
}

const SETTING: Setting = { family: 'tcp', listens: false, respond };

function outcomeOf(record: readonly string[]): Outcome {
  const client = record.find((line) => line.startsWith('client: '))?.slice('client: '.length) ?? '';
  // What has come before the client ends the connection itself.
  const [before = ''] = client.split('|');
  const all = before.replace(/<(?:end|close|ECONNRESET)>/g, '');
  const raw = all.replace(/^HTTP\/1\.1 1\d\d .*\r\n(?:.+\r\n)*\r\n/, '');
  const [headers = '', ...bodies] = raw.split('\r\n\r\n');
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(raw) ?? [];
  return {
    hasInterim: raw !== all,
    status: status === undefined ? undefined : Number(status),
    // They are taken out of records, as they differ.
    headers: /200 OK/.test(headers) ? `${headers}\r\nDate: x` : headers,
    body: bodies.join('\r\n\r\n'),
    answers: raw.match(/HTTP\/1\.1 \d+/g)?.length ?? 0,
    closed: /<(?:end|ECONNRESET)>/.test(before),
  };
}

async function failures(subject: Subject): Promise<string[]> {
  const scripts = cases.map(({ id, bytes }) => ({ name: id, pieces: [bytes] }));
  const [records = []] = await recordsOf([subject], SETTING, scripts);
  return cases.filter(({ passes }, i) => !passes(outcomeOf(records[i] ?? []))).map(({ id }) => id);
}

describe.skipIf(directory === undefined)("Http11Probe's MUSTs", () => {
  it('are read', () => {
    expect(cases.length).toBeGreaterThan(100);
    // A variable that has not been filled in, or nothing at all, would be refused for that.
    const unread = cases.filter(({ bytes }) => bytes.length < 15 || /\{\w+\}|undefined|NaN/.test(bytes));
    expect(unread.map(({ id, bytes }) => [id, bytes])).toEqual([]);
  });

  it("are not all kept by node's parser", async () => {
    const failed = await failures(reference);
    console.log(
      `node ${process.version} fails ${String(failed.length)} of ${String(cases.length)}: ${failed.join(', ')}`,
    );
    expect(failed).toContain('RFC9110-5.4-DUPLICATE-HOST');
  });

  it.each(strictWays)('are kept: $name', async ({ strict }) => {
    expect(await failures(strict)).toEqual([]);
  });
});
