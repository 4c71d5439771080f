/** Packets straight into the reader of the server, in any pieces, and what it says of them against what is expected. */
import assert from 'node:assert/strict';
import { UwsgiReader } from '../../dist/src/uwsgi/server-reader.js';
import type { ScanningEngine } from '../../dist/src/uwsgi/variable-scanner.js';
import type { Variables } from '../../dist/src/uwsgi/variables.js';
import { expectedOf, type ExpectedRequest } from './expected.js';
import type { FuzzedPacket } from './packets.js';

const LIMITS = { variablesSize: 65_535, variablesCount: 1000, bodySize: Number.POSITIVE_INFINITY };

/** What a reader has told of one packet. */
class Heard {
  heads: Variables[] = [];
  body: Buffer[] = [];
  completed = 0;
  private readonly order: string[] = [];

  onHead(head: Variables): void {
    this.order.push('head');
    this.heads.push(head);
  }

  readonly wantsBody = true;

  onBody(chunk: Buffer): void {
    this.order.push('body');
    assert.ok(chunk.length > 0, 'a piece of a body has bytes');
    assert.deepEqual([chunk.byteOffset, chunk.buffer.byteLength], [0, chunk.length]);
    this.body.push(chunk);
  }

  onComplete(): void {
    this.order.push('complete');
    this.completed++;
  }

  get inOrder(): boolean {
    return /^(head (body )*(complete )?)?$/.test(this.order.map((name) => `${name} `).join(''));
  }
}

export type Kind = 'served' | 'cut' | 'refused';

/** Throws if what is read is not what is expected. `engine`: whose addon reads usual packets. */
export function checkReader({ bytes, cuts }: FuzzedPacket, engine: ScanningEngine | undefined): Kind {
  const heard = new Heard();
  const reader = new UwsgiReader(LIMITS, engine);
  let status: number | undefined;
  let at = 0;
  for (const cut of bytes.length === 0 ? [] : [...cuts, bytes.length]) {
    // In memory of its own, as what is lent is gone afterwards.
    const piece = Buffer.from(bytes.subarray(at, cut));
    status = reader.read(heard, piece, 0, piece.length)?.status;
    piece.fill(0xee);
    at = cut;
    if (status !== undefined) break;
  }
  const expected = expectedOf(bytes);
  assert.ok(heard.inOrder, 'head, body, complete');
  if ('status' in expected) {
    assert.deepEqual([status, heard.heads.length], [expected.status, 0]);
    return 'refused';
  }
  assert.equal(status, undefined);
  const [head] = heard.heads;
  if ('cut' in expected || head === undefined) {
    assert.deepEqual([heard.heads.length, 'cut' in expected], [0, true]);
    assert.equal(reader.end()?.status, bytes.length === 0 ? undefined : 400);
    return 'cut';
  }
  checkRequest(head, heard, expected.request);
  return expected.request.complete ? 'served' : 'cut';
}

/** By hand: assert's deep comparison would take most of the time. */
function checkRequest(head: Variables, heard: Heard, expected: ExpectedRequest): void {
  assert.equal(heard.heads.length, 1);
  assert.equal(head.method, expected.method);
  assert.equal(head.url, expected.url);
  assert.equal(head.bodyLength, expected.bodyLength);
  assert.equal(head.expect, expected.expect);
  assert.equal(head.upgrade, expected.upgrade);
  const { rawHeaders, all } = head;
  assert.equal(rawHeaders.length, expected.rawHeaders.length);
  for (const [i, text] of rawHeaders.entries()) assert.equal(text, expected.rawHeaders[i]);
  assert.equal(Object.keys(all).length, expected.variables.size);
  for (const [name, value] of expected.variables) assert.equal(all[name], value);
  if (expected.version !== undefined) {
    assert.equal(`${String(head.versionMajor)}.${String(head.versionMinor)}`, expected.version);
  }
  assert.ok(Buffer.concat(heard.body).equals(expected.body), 'the body');
  assert.equal(heard.completed, expected.complete ? 1 : 0);
}
