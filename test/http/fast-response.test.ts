/** FastResponse is to behave as the genuine Response does. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FastResponse } from 'nearwire/http';

type Maker = typeof Response;

const stream = (): ReadableStream<Uint8Array> => new Response('streamed').body as ReadableStream<Uint8Array>;
const form = (): FormData => {
  const data = new FormData();
  data.set('a', '1');
  return data;
};

/** Arguments of the constructor, good and bad. */
const ARGUMENTS: Record<string, () => unknown[]> = {
  nothing: () => [],
  null: () => [null],
  undefined: () => [undefined, undefined],
  'a string': () => ['text'],
  'an empty string': () => [''],
  'a number': () => [1],
  'an object': () => [{ toString: () => 'told' }],
  bytes: () => [new Uint8Array([1, 2])],
  'a view of bytes': () => [new Uint8Array([1, 2, 3]).subarray(1)],
  'a Buffer': () => [Buffer.from('buffer')],
  'words of 16 bits': () => [new Uint16Array([1])],
  'an ArrayBuffer': () => [new ArrayBuffer(3)],
  'a Blob': () => [new Blob(['blob'], { type: 'a/b' })],
  parameters: () => [new URLSearchParams({ a: '1' })],
  'a stream': () => [stream()],
  'init null': () => ['text', null],
  'init that is no object': () => ['text', 1],
  'a status': () => ['text', { status: 404, statusText: 'Gone fishing' }],
  'a status as text': () => ['text', { status: '404' }],
  'a status with a fraction': () => ['text', { status: 404.5 }],
  'a status too low': () => ['text', { status: 199 }],
  'a status too high': () => ['text', { status: 600 }],
  'a body where there is none': () => ['text', { status: 204 }],
  'no body where there is none': () => [null, { status: 304 }],
  'a status text with a line break': () => ['text', { statusText: 'a\r\nb' }],
  'a status text beyond latin1': () => ['text', { statusText: '€' }],
  'headers of an object': () => ['text', { headers: { B: '2', a: '1', 'Content-Type': 'x/y' } }],
  'headers of an object, twice': () => ['text', { headers: { A: '2', a: '1' } }],
  'headers with spaces': () => ['text', { headers: { a: ' 1\t' } }],
  'headers of other types': () => ['text', { headers: { a: 1, b: null, c: ['x', 'y'] } }],
  'headers of pairs': () => [
    'text',
    {
      headers: [
        ['a', '1'],
        ['a', '2'],
        ['set-cookie', 'x'],
        ['Set-Cookie', 'y'],
      ],
    },
  ],
  'headers of Headers': () => ['text', { headers: new Headers({ z: '1', a: '2' }) }],
  'headers of a Map': () => ['text', { headers: new Map([['a', '1']]) }],
  'headers of latin1': () => ['text', { headers: { a: '\xe5' } }],
  'headers null': () => ['text', { headers: null }],
  'headers with a line break': () => ['text', { headers: { a: 'x\r\nb: y' } }],
  'headers with a zero byte': () => ['text', { headers: { a: 'x\0' } }],
  'headers beyond latin1': () => ['text', { headers: { a: '€' } }],
  'headers with a bad name': () => ['text', { headers: { 'a b': 'x' } }],
  'headers with a line break in the name': () => ['text', { headers: { 'a\r\nb': 'x' } }],
  'headers with a name that objects have': () => [
    'text',
    { headers: JSON.parse('{"__proto__":"1","a":"2"}') as unknown },
  ],
  'bytes that are gone': () => {
    const bytes = new Uint8Array(2);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    return [bytes];
  },
  'bytes that may shrink': () => [
    new Uint8Array(Reflect.construct(ArrayBuffer, [2, { maxByteLength: 4 }]) as ArrayBuffer),
  ],
  'no bytes': () => [new Uint8Array(0)],
  'headers from a Response': () => ['text', new Response('other', { status: 201, headers: { a: '1' } })],
};

async function seen(Maker: Maker, args: unknown[]): Promise<unknown> {
  let response: Response;
  try {
    response = Reflect.construct(Maker, args) as Response;
  } catch (error) {
    return (error as Error).constructor.name;
  }
  const { status, statusText, ok, type, url, redirected } = response;
  const before = [response.bodyUsed, response.body === null, response.body?.locked];
  const copy = response.clone();
  const bytes = Buffer.from(await response.arrayBuffer()).toString('latin1');
  const after = [response.bodyUsed, copy.bodyUsed, await copy.text(), [...copy.headers], copy.status, copy.statusText];
  const again = await response.text().catch((error: unknown) => (error as Error).name);
  return { status, statusText, ok, type, url, redirected, before, bytes, after, again, headers: [...response.headers] };
}

describe('is as the genuine one', () => {
  it.each(Object.entries(ARGUMENTS))('of %s', async (_, args) => {
    expect(await seen(FastResponse, args())).toEqual(await seen(Response, args()));
  });

  it.each(['text', 'json', 'arrayBuffer', 'blob', 'bytes'] as const)('%s()', async (name) => {
    const read = (Maker: Maker): Promise<unknown> | undefined => {
      const response = new Maker('[1]', { headers: { 'content-type': 'a/b' } }) as unknown as Record<string, unknown>;
      return (response[name] as (() => Promise<unknown>) | undefined)?.call(response);
    };
    expect(await read(FastResponse)).toEqual(await read(Response));
  });

  it('formData()', async () => {
    const response = new FastResponse(form());
    expect(response.headers.get('content-type')).toMatch(/^multipart\/form-data/);
    expect(await response.text()).toContain('name="a"');
  });

  it('static methods', async () => {
    for (const [data, init] of [[{ a: 1 }], ['x', { status: 201 }], [[1], { headers: { a: 'b' } }]] as const) {
      const [fast, genuine] = [FastResponse.json(data, init), Response.json(data, init)];
      expect([fast.status, [...fast.headers], await fast.text()]).toEqual([
        genuine.status,
        [...genuine.headers],
        await genuine.text(),
      ]);
    }
    expect(() => FastResponse.json(undefined)).toThrow(TypeError);
    expect(() => FastResponse.json('x', { status: 204 })).toThrow(TypeError);
    expect(FastResponse.redirect('http://x/', 307).headers.get('location')).toBe('http://x/');
    expect(FastResponse.error().type).toBe('error');
  });

  it('static methods without a receiver, of a subclass, and with bad arguments', async () => {
    class Own extends FastResponse {}
    const { json } = FastResponse;
    const receiverless = json({ a: 1 }, { status: 201 });
    expect([receiverless.status, await receiverless.text()]).toEqual([201, '{"a":1}']);
    expect(Own.json({})).not.toBeInstanceOf(Own);
    for (const args of [[], [{}, 5], [{}, 'init']]) {
      expect(() => Reflect.apply(FastResponse.json, FastResponse, args) as unknown).toThrow(TypeError);
      expect(() => Reflect.apply(Response.json, Response, args) as unknown).toThrow(TypeError);
    }
  });

  it('its members are enumerated, called and named as those of the genuine one', () => {
    const members = (of: object): unknown[] =>
      Object.entries(Object.getOwnPropertyDescriptors(of))
        .map(([name, { enumerable, value, get }]) => {
          const made = (get ?? value) as { name: string; length: number };
          return [name, enumerable, typeof made, made.name, made.length];
        })
        .filter(([name]) => name !== 'prototype')
        .sort();
    new FastResponse('x');
    expect(members(FastResponse.prototype)).toEqual(members(Response.prototype));
    expect(Object.keys(FastResponse).sort()).toEqual(Object.keys(Response).sort());
    expect([FastResponse.length, FastResponse.json.length]).toEqual([Response.length, Response.json.length]);
    const seen: string[] = [];
    for (const name in new FastResponse('x')) seen.push(name);
    expect(seen).toContain('status');
  });

  it('`ok` is of its own status, whatever a subclass says', () => {
    class Odd extends FastResponse {}
    Object.defineProperty(Odd.prototype, 'status', { get: () => 500 });
    expect(new Odd('x').ok).toBe(true);
  });

  it.each(['delete', 'set'] as const)('its type is what its headers say after %s()', async (how) => {
    const types = async (Maker: Maker, isLate: boolean): Promise<unknown[]> => {
      const response = new Maker('x');
      if (isLate) response.clone();
      if (how === 'delete') response.headers.delete('content-type');
      else response.headers.set('content-type', 'a/b');
      return [(await response.clone().blob()).type, (await response.blob()).type, [...response.headers]];
    };
    expect(await types(FastResponse, false)).toEqual(await types(Response, false));
    expect(await types(FastResponse, true)).toEqual(await types(Response, true));
  });

  it('is a Response, whichever class is asked', () => {
    const fast = new FastResponse('x');
    expect(fast).toBeInstanceOf(Response);
    expect(fast).toBeInstanceOf(FastResponse);
    expect(new Response('x')).toBeInstanceOf(FastResponse);
    expect({}).not.toBeInstanceOf(FastResponse);
    expect(Object.prototype.toString.call(fast)).toBe('[object Response]');
    expect(fast.headers).toBe(fast.headers);
    expect(inspect(fast)).toContain('Response');
    class Own extends FastResponse {
      get own(): number {
        return this.status;
      }
    }
    expect(new Own('x').own).toBe(200);
    expect(new Response('x')).not.toBeInstanceOf(Own);
  });

  it('takes bytes as they are', async () => {
    const bytes = new Uint8Array([1, 2]);
    const response = new FastResponse(bytes);
    bytes.fill(9);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([1, 2]);
  });

  it('keeps headers that are changed before, and after, it is read', async () => {
    const response = new FastResponse('x', { headers: { a: '1' } });
    response.headers.set('a', '2');
    await response.text();
    response.headers.set('b', '3');
    expect([...response.headers]).toEqual([
      ['a', '2'],
      ['b', '3'],
      ['content-type', 'text/plain;charset=UTF-8'],
    ]);
  });
});
