/** Random requests, cut at random places, get the same answers whoever reads them. */
import { beforeEach, expect, it, vi } from 'vitest';
import { FastResponse } from 'nearwire/http';
import {
  chunked,
  CLOSE,
  connect,
  dechunked,
  get,
  Inbox,
  post,
  start,
  ways,
  type Served,
} from '../support/fetch-servers.js';
import { randomOf, type Random } from '../support/random.js';

const ROUNDS = 60;
const SEEDS = [1, 2, 3];

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});

function pieces(count: number): ReadableStream<Uint8Array> {
  let left = count;
  return new ReadableStream({
    async pull(controller) {
      await turn();
      if (left-- > 0) controller.enqueue(Buffer.from(`piece ${String(left)} `));
      else controller.close();
    },
  });
}

const KINDS: Record<string, (request: Request, Maker: typeof Response) => Response | Promise<Response>> = {
  text: ({ url, method }, Maker) => new Maker(`<${method} ${url}>`),
  echo: async (request, Maker) => new Maker(`<${await request.text()}>`),
  part: async ({ body }, Maker) => {
    await body?.getReader().read();
    return new Maker('part');
  },
  throws: () => {
    throw new Error('thrown');
  },
  nothing: (_, Maker) => new Maker(null, { status: 204 }),
  large: ({ url }, Maker) => new Maker(url + 'x'.repeat(100_000)),
  stream: (_, Maker) => new Maker(pieces(3)),
  pipe: ({ body }, Maker) => new Maker(body),
};
const NAMES = Object.keys(KINDS);

async function handler(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  for (let i = 0; i < Number(searchParams.get('turns')); i++) await turn();
  const kind = KINDS[pathname.slice(1)] as (typeof KINDS)[string];
  return kind(request, searchParams.has('genuine') ? Response : FastResponse);
}

interface Conversation {
  text: string;
  methods: string[];
  cuts: number[];
}

function converse(random: Random): Conversation {
  const requests: string[] = [];
  const count = 1 + random(6);
  for (let i = 0; i < count; i++) {
    const path = `/${NAMES[random(NAMES.length)] ?? ''}?turns=${String([0, 0, 1, 3][random(4)])}${random(2) ? '&genuine' : ''}`;
    const body = 'b'.repeat([0, 1, 5, 300, 20_000, 70_000][random(6)] ?? 0);
    const half = Math.floor(body.length / 2);
    const parts = [body.slice(0, half), body.slice(half)].filter((part) => part !== '');
    const made =
      [get(path), get(path).replace('GET', 'HEAD'), post(path, body), chunked(path, ...parts)][random(4)] ?? '';
    requests.push(made);
  }
  // A connection that is closed behind a body that nobody has read is reset, and its response may be lost.
  requests.push(get('/text', CLOSE));
  const text = requests.join('');
  const cuts = Array.from({ length: random(5) }, () => random(text.length)).sort((a, b) => a - b);
  return { text, methods: requests.map((request) => request.slice(0, request.indexOf(' '))), cuts };
}

async function hold({ address }: Served, { text, cuts }: Conversation): Promise<string> {
  const client = new Inbox(connect(address));
  let at = 0;
  for (const cut of [...cuts, text.length]) {
    client.socket.write(text.slice(at, cut));
    at = cut;
    await turn();
    await turn();
  }
  return client.untilClosed();
}

/** Without what depends on when a stream was found to be at its end. */
function answersIn(text: string, methods: readonly string[]): string[] {
  const answers: string[] = [];
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf('\r\n\r\n', at);
    const head = text.slice(at, end);
    at = end + 4;
    const hasBody = methods[answers.length] !== 'HEAD' && !head.startsWith('HTTP/1.1 204');
    const length = Number(/Content-Length: (\d+)/.exec(head)?.[1] ?? 0);
    const isChunked = hasBody && head.includes('Transfer-Encoding: chunked');
    const stop = isChunked ? text.indexOf('\r\n0\r\n\r\n', at - 2) + 7 : at + (hasBody ? length : 0);
    const body = isChunked ? dechunked(text.slice(at, stop)) : text.slice(at, stop);
    at = stop;
    answers.push(`${head.replace(/(Date|Content-Length|Transfer-Encoding): [^\r]*\r\n/g, '')} ${body}`);
  }
  return answers;
}

it.each(SEEDS)('the same answers in each way: seed %i', async (seed) => {
  const servers = await Promise.all(ways.map((way) => start(way, handler)));
  const random = randomOf(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const conversation = converse(random);
    const texts = await Promise.all(servers.map((server) => hold(server, conversation)));
    const [expected, ...others] = texts.reverse().map((text) => answersIn(text, conversation.methods));
    expect(expected).toHaveLength(conversation.methods.length);
    for (const found of others) expect(found, `round ${String(round)}`).toEqual(expected);
  }
});
