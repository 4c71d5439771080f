/** The same requests to each program, on serve() in each of its ways and on the program's own server. */
import { once } from 'node:events';
import * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import { deferred, start, watchReports, ways } from '../fetch-servers.js';
import { cleanup, type Address } from '../sockets.js';
import type { Events, FetchProgram } from './contract.js';

interface Question {
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: Uint8Array | string;
}

interface Answer {
  status: number | undefined;
  headers: http.IncomingHttpHeaders;
  text: string;
}

function send(address: Address, path: string, { method = 'GET', headers = {} }: Question = {}): http.ClientRequest {
  const where = 'path' in address ? { socketPath: address.path } : address;
  const request = http.request({ ...where, method, path, headers, agent: false });
  cleanup(() => request.destroy());
  return request;
}

async function ask(address: Address, path: string, question: Question = {}): Promise<Answer> {
  const request = send(address, path, question);
  request.end(question.body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

const post = (body: Uint8Array | string, type: string): Question => ({
  method: 'POST',
  headers: { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) },
  body,
});

const { Response } = globalThis;

async function multipart(): Promise<{ question: Question; bytes: Buffer }> {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i) % 251));
  const form = new FormData();
  form.append('name', 'Wörld');
  form.append('file', new File([bytes], 'a.bin', { type: 'application/x-own' }));
  const encoded = new Response(form);
  const type = encoded.headers.get('content-type') ?? '';
  return { question: post(Buffer.from(await encoded.arrayBuffer()), type), bytes };
}

type Test = (address: Address, heard: Heard) => Promise<void>;
type Heard = Record<keyof Events, Promise<void>>;

const TESTS: Record<string, Test> = {
  'GET and HEAD': async (address) => {
    const got = await ask(address, '/text');
    expect(got).toMatchObject({ status: 200, text: 'text' });
    expect(got.headers['content-type']).toMatch(/^text\/plain; ?charset=utf-8$/i);
    const head = await ask(address, '/text', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, text: '' });
  },
  'a page that is rendered as a stream': async (address) => {
    const got = await ask(address, '/page');
    expect(got.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(got.text).toContain('<p>Hello, Wörld</p>');
  },
  'a query': async (address) => {
    const got = await ask(address, '/query?a=%20b&c=%E2%82%AC');
    expect(JSON.parse(got.text)).toEqual({ a: ' b', c: '€' });
    expect(got.headers['content-type']).toMatch(/^application\/json/);
  },
  JSON: async (address) => {
    const text = JSON.stringify({ a: ['€', 1] });
    expect(JSON.parse((await ask(address, '/json', post(text, 'application/json'))).text)).toEqual({
      read: { a: ['€', 1] },
    });
    const broken = await ask(address, '/json', post('{"a', 'application/json'));
    expect(broken.status).toBeGreaterThanOrEqual(400);
  },
  'a form': async (address) => {
    const got = await ask(address, '/form', post('a=1&b=%E2%82%AC', 'application/x-www-form-urlencoded'));
    expect(JSON.parse(got.text)).toEqual({ a: '1', b: '€' });
  },
  'a multipart upload': async (address) => {
    const { question, bytes } = await multipart();
    const got = await ask(address, '/form', question);
    expect(JSON.parse(got.text)).toEqual({
      name: 'Wörld',
      file: `a.bin application/x-own 200000 ${bytes.toString('base64')}`,
    });
  },
  'a streamed response': async (address) => {
    expect(await ask(address, '/stream')).toMatchObject({ status: 200, text: 'onetwothree' });
  },
  'a large response': async (address) => {
    const { text } = await ask(address, '/large');
    expect(text === 'a€'.repeat(500_000)).toBe(true);
  },
  'a large body, sent back as it comes': async (address) => {
    const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => 97 + (i % 26))).toString();
    for (const question of [post(body, 'text/plain'), { method: 'POST', body }]) {
      const got = await ask(address, '/echo', question);
      expect(got.status).toBe(200);
      expect(got.text === body).toBe(true);
    }
  },
  'an empty body': async (address) => {
    expect((await ask(address, '/upload', { method: 'POST', headers: { 'Content-Length': 0 } })).text).toBe('0');
  },
  cookies: async (address) => {
    const got = await ask(address, '/cookies', { headers: { Cookie: 'c=3; d=4' } });
    expect(got.text).toBe('3');
    expect(got.headers['set-cookie']?.map((cookie) => cookie.split(';')[0])).toEqual(['a=1', 'b=2']);
  },
  'a redirect': async (address) => {
    const got = await ask(address, '/redirect');
    expect(got.status).toBe(302);
    expect(got.headers.location).toMatch(/\/text$/);
  },
  'not modified': async (address) => {
    expect(await ask(address, '/cached')).toMatchObject({ status: 200, text: 'fresh' });
    const got = await ask(address, '/cached', { headers: { 'If-None-Match': '"tag"' } });
    expect(got).toMatchObject({ status: 304, text: '' });
    expect(got.headers.etag).toBe('"tag"');
  },
  'a handler that throws': async (address) => {
    expect((await ask(address, '/throws')).status).toBe(500);
    expect((await ask(address, '/teapot')).status).toBe(418);
    expect((await ask(address, '/nowhere')).status).toBe(404);
    expect((await ask(address, '/text')).text).toBe('text');
  },
  'the address of the client': async (address) => {
    expect((await ask(address, '/ip')).text).toBe('path' in address ? '' : '127.0.0.1');
  },
  'a client that goes away in a response': async (address, heard) => {
    const request = send(address, '/endless');
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.on('error', () => undefined);
    await once(response, 'data');
    request.destroy();
    await heard.cancelled;
  },
  'a client that goes away before the response': async (address, heard) => {
    const request = send(address, '/waits');
    request.on('error', () => undefined);
    request.end();
    await heard.asked;
    request.destroy();
    await heard.aborted;
  },
  'a client that goes away in its body': async (address, heard) => {
    const request = send(address, '/upload', { method: 'POST', headers: { 'Content-Length': 1_000_000 } });
    request.on('error', () => undefined);
    request.write('part');
    await heard.asked;
    request.destroy();
    await heard.lost;
  },
};

function listening(): { events: Events; heard: Heard } {
  const waiting = { asked: deferred(), aborted: deferred(), cancelled: deferred(), lost: deferred() };
  const names = Object.keys(waiting) as (keyof Events)[];
  const events = Object.fromEntries(
    names.map((name) => [
      name,
      () => {
        waiting[name].resolve();
      },
    ]),
  );
  const heard = Object.fromEntries(names.map((name) => [name, waiting[name].promise]));
  return { events: events as unknown as Events, heard: heard as Heard };
}

/** What the program can be asked. */
const testsOf = ({ rendersPages = false }: FetchProgram): [string, Test][] =>
  Object.entries(TESTS).filter(([name]) => rendersPages || !name.startsWith('a page'));

/** On the program's own server. */
export function testOwnServer(program: FetchProgram): void {
  const { name, listen, ownDiffers = [] } = program;
  if (listen === undefined) return;
  describe(`${name}, its own server`, () => {
    it.each(testsOf(program).filter(([test]) => !ownDiffers.includes(test)))('%s', async (_, test) => {
      const { events, heard } = listening();
      const { address, close } = await listen(events);
      cleanup(close);
      await test(address, heard);
    });
  });
}

watchReports();

/** On serve(), in each of its ways. */
export function testProgram(program: FetchProgram, overrideGlobalObjects: boolean): void {
  const { name, makeApp } = program;
  describe.each(ways)(`${name}, overrideGlobalObjects: ${String(overrideGlobalObjects)}, $name`, (way) => {
    it.each(testsOf(program))('%s', async (_, test) => {
      const { events, heard } = listening();
      const { address } = await start(way, makeApp(events), { overrideGlobalObjects }, 'tcp');
      await test(address, heard);
    });
  });
}
