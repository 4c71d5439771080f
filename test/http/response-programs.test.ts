/**
 * Random programs of a response: headers, writes, corks, ticks and ends in any order. What each call returns or throws, what
 * the response's state is behind it, which events come, and the bytes that the client gets are as on node:http. Not
 * compared: how many bytes wait and whether they have been taken, as here they leave at the end of an iteration of the
 * event loop (docs/compatibility.md), and what depends on that: the order of callbacks among the other events.
 * NEARWIRE_FUZZ_PROGRAMS and NEARWIRE_FUZZ_SEED make more of them.
 */
import type * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import { rawRequest } from '../support/http.js';
import { pick, randomOf, type Random } from '../support/random.js';
import { listen, nextTurn, type Address } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';
import { GET, LAST } from './engine-requests.js';

const PROGRAMS = Number(process.env['NEARWIRE_FUZZ_PROGRAMS'] ?? 250);
const SEED = Number(process.env['NEARWIRE_FUZZ_SEED'] ?? 1);
/** Less than `highWaterMark`: from there on 'drain' depends on when the kernel takes bytes. */
const MUCH = 5000;

type Note = (what: string) => void;

interface Step {
  readonly name: string;
  readonly run: (response: http.ServerResponse, note: Note) => unknown;
}

function step(name: string, run: Step['run']): Step {
  return { name, run };
}

function code(error: unknown): string {
  const { code: of, message } = (error ?? {}) as NodeJS.ErrnoException;
  return of ?? message;
}

const HEADERS: readonly Step[] = [
  step('X-A', (response) => response.setHeader('X-A', '1')),
  step('Content-Length: 6', (response) => response.setHeader('Content-Length', '6')),
  step('Transfer-Encoding', (response) => response.setHeader('Transfer-Encoding', 'chunked')),
  step('Connection', (response) => response.setHeader('Connection', 'close')),
  step('no X-A', (response) => {
    response.removeHeader('X-A');
  }),
  step('204', (response) => (response.statusCode = 204)),
  step('304', (response) => (response.statusCode = 304)),
  step('no chunks', (response) => (response.useChunkedEncodingByDefault = false)),
  step('no keep-alive', (response) => (response.shouldKeepAlive = false)),
];

const HEADS: readonly Step[] = [
  step('writeHead', (response) => response.writeHead(200)),
  step('writeHead with a length', (response) => response.writeHead(200, { 'Content-Length': '6' })),
  step('writeHead with lists', (response) => response.writeHead(404, 'Nope', { 'X-B': ['1', '2'] })),
  step('writeHead, raw', (response) => response.writeHead(200, ['X-C', '1', 'x-c', '2'])),
  step('writeHead 204', (response) => response.writeHead(204)),
  step('flushHeaders', (response) => {
    response.flushHeaders();
  }),
];

const PAUSES: readonly Step[] = [
  step('cork', (response) => {
    response.cork();
  }),
  step('uncork', (response) => {
    response.uncork();
  }),
  step('tick', async () => {
    await new Promise<void>((resolve) => {
      process.nextTick(resolve);
    });
  }),
  step('turn', nextTurn),
  step('microtask', () => Promise.resolve('microtask')),
];

const WRITES: readonly Step[] = [
  ...PAUSES,
  step('write', (response) => response.write('ab')),
  step('write latin1', (response) => response.write('\u00e9', 'latin1')),
  step('write hex', (response) => response.write('6162', 'hex')),
  step('write bytes', (response) => response.write(Buffer.from('cde'))),
  step('write bytes of another class', (response) => response.write(new Uint8Array([122, 122]))),
  step('write nothing', (response) => response.write('')),
  step('write no bytes', (response) => response.write(Buffer.alloc(0))),
  step('write with a callback', (response, note) =>
    response.write('qq', (error) => {
      note(`callback ${code(error)}`);
    }),
  ),
  step('write much', (response) => response.write('x'.repeat(MUCH))),
];

const RARE: readonly Step[] = [
  step('addTrailers', (response) => {
    response.addTrailers({ 'X-T': 'v' });
  }),
  step('writeEarlyHints', (response) => {
    response.writeEarlyHints({ link: '</a>; rel=preload' });
  }),
  step('writeContinue', (response) => {
    response.writeContinue();
  }),
  step('writeProcessing', (response) => {
    response.writeProcessing();
  }),
  step('write null', (response) => response.write(null)),
];

/** They emit an error. */
const LATE_ENDS: readonly Step[] = [
  step('end twice', (response, note) => {
    response.end('a');
    return response.end('b', (error?: Error) => {
      note(`second callback ${code(error)}`);
    });
  }),
  step('end, then write', (response, note) => {
    response.end('a');
    return response.write('b', (error) => {
      note(`late callback ${code(error)}`);
    });
  }),
];

const ENDS: readonly Step[] = [
  step('end', (response) => response.end()),
  step('end with text', (response) => response.end('fin')),
  step('end with bytes', (response) => response.end(Buffer.from('fin'))),
  step('end with hex', (response) => response.end('66', 'hex')),
  step('end with a callback', (response, note) =>
    response.end('fin', (error?: Error) => {
      note(`end callback ${code(error)}`);
    }),
  ),
  step('cork and end', (response) => {
    response.cork();
    return response.end('c');
  }),
  ...LATE_ENDS,
];

function some<Of>(random: Random, count: number, list: readonly Of[]): Of[] {
  return Array.from({ length: count }, () => pick(random, list));
}

const LENGTHS = [...HEADERS, ...HEADS].filter(({ name }) => /length/i.test(name));

interface Program {
  /** With others before and behind it that are answered at once, all in one piece. */
  readonly requests: string;
  /** Listens to the response: one that nobody listens to ends otherwise. */
  readonly listens: boolean;
  readonly steps: readonly Step[];
}

function makeProgram(random: Random): Program {
  // A response of which nothing is sent before its end goes another way.
  const writes = random(3) === 0 ? PAUSES : WRITES;
  const end = pick(random, ENDS);
  const steps = [
    ...some(random, random(3), HEADERS),
    ...some(random, random(4) === 0 ? 1 : 0, HEADS),
    ...some(random, random(6), writes),
    ...some(random, random(8) === 0 ? 1 : 0, RARE),
    ...some(random, random(3), writes),
    end,
  ];
  const method = pick(random, ['GET', 'GET', 'HEAD', 'POST']);
  const body = method === 'POST' ? 'hi' : '';
  const length = method === 'POST' ? 'Content-Length: 2\r\n' : '';
  const version = pick(random, ['1', '1', '0']);
  // Behind a response of a wrong length nearwire closes (docs/compatibility.md).
  const goesOn = random(2) === 0 && !steps.some((one) => LENGTHS.includes(one));
  const connection = goesOn ? 'keep-alive' : 'close';
  const own = `${method} / HTTP/1.${version}\r\nHost: x\r\n${length}Connection: ${connection}\r\n\r\n${body}`;
  const requests = GET.repeat(random(3)) + own + (goesOn ? LAST : '');
  // An error without a listener would end the process.
  const fails = LATE_ENDS.includes(end);
  return { requests, steps, listens: fails || random(2) === 0 };
}

/** Of what a response shows: what does not depend on what the kernel has taken. */
function stateOf({ headersSent, writableEnded, writableCorked }: http.ServerResponse): string {
  return JSON.stringify({ headersSent, writableEnded, writableCorked });
}

interface Course {
  readonly calls: string[];
  readonly events: string[];
  bytes: string;
}

async function play(response: http.ServerResponse, program: Program, { calls, events }: Course): Promise<void> {
  const { steps, listens } = program;
  const note: Note = (what) => events.push(what);
  for (const event of listens ? ['prefinish', 'finish', 'close', 'error'] : []) {
    response.on(event, (error?: Error) => {
      note(`${event} ${code(error)}`);
    });
  }
  for (const { name, run } of steps) {
    let result: unknown;
    try {
      const returned = run(response, note);
      result = returned instanceof Promise ? await returned : returned;
    } catch (error) {
      result = `throws ${code(error)}`;
    }
    calls.push(`${name}: ${String(result === response ? 'itself' : result)} ${stateOf(response)}`);
  }
}

/** One server for all programs, which plays those of `current`. */
class Stage {
  private constructor(
    readonly subject: Subject,
    private readonly address: Address,
    private readonly current: { program: Program; course: Course },
  ) {}

  static async open(subject: Subject, family: Family): Promise<Stage> {
    const current = {} as Stage['current'];
    const server = subject.http.createServer({}, ({ url }, response) => {
      response.sendDate = false;
      if (url === '/') void play(response, current.program, current.course);
      else response.end(url);
    });
    return new Stage(subject, await listen(server, family), current);
  }

  async course(program: Program): Promise<Course> {
    const course: Course = { calls: [], events: [], bytes: '' };
    Object.assign(this.current, { program, course });
    course.bytes = await rawRequest(reference, this.address, program.requests);
    return { ...course, events: course.events.sort() };
  }
}

describe.each(everyWay)('random programs of a response: $name over $family', ({ subject, family }) => {
  it('do as on node', { timeout: 60_000 + 20 * PROGRAMS }, async () => {
    onUncaught((error) => {
      throw error;
    });
    const random = randomOf(SEED);
    const [nodes, ours] = [await Stage.open(reference, family), await Stage.open(subject, family)];
    for (let i = 0; i < PROGRAMS; i++) {
      const program = makeProgram(random);
      const names = program.steps.map(({ name }) => name);
      const expected = await nodes.course(program);
      expect(await ours.course(program), `seed ${String(SEED)}, ${String(i)}: ${names.join(', ')}`).toEqual(expected);
    }
  });
});
