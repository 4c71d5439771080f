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
import { listen, nextTurn, type Address } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

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

const NO_ENCODING = 'no such encoding' as BufferEncoding;

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
  step('write in no encoding', (response) => response.write('x', NO_ENCODING)),
  step('write null', (response) => response.write(null)),
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

class Random {
  constructor(private state: number) {}

  below(count: number): number {
    this.state = (Math.imul(this.state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((this.state / 0x8000_0000) * count);
  }

  pick<Of>(from: readonly Of[]): Of {
    return from[this.below(from.length)] as Of;
  }

  some<Of>(count: number, from: readonly Of[]): Of[] {
    return Array.from({ length: count }, () => this.pick(from));
  }
}

interface Program {
  readonly request: string;
  readonly steps: readonly Step[];
}

function makeProgram(random: Random): Program {
  // A response of which nothing is sent before its end goes another way.
  const writes = random.below(3) === 0 ? PAUSES : WRITES;
  const steps = [
    ...random.some(random.below(3), HEADERS),
    ...random.some(random.below(4) === 0 ? 1 : 0, HEADS),
    ...random.some(random.below(6), writes),
    ...random.some(random.below(8) === 0 ? 1 : 0, RARE),
    ...random.some(random.below(3), writes),
    random.pick(ENDS),
  ];
  const method = random.pick(['GET', 'GET', 'HEAD', 'POST']);
  const body = method === 'POST' ? 'hi' : '';
  const length = method === 'POST' ? 'Content-Length: 2\r\n' : '';
  const request = `${method} / HTTP/1.${random.pick(['1', '1', '0'])}\r\nHost: x\r\n${length}Connection: close\r\n\r\n${body}`;
  return { request, steps };
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

async function play(response: http.ServerResponse, { steps }: Program, { calls, events }: Course): Promise<void> {
  const note: Note = (what) => events.push(what);
  for (const event of ['prefinish', 'finish', 'close', 'error']) {
    response.on(event, (error?: Error) => {
      note(`${event} ${code(error)}`);
    });
  }
  response.sendDate = false;
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
    const server = subject.http.createServer({}, (_, response) => {
      void play(response, current.program, current.course);
    });
    return new Stage(subject, await listen(server, family), current);
  }

  async course(program: Program): Promise<Course> {
    const course: Course = { calls: [], events: [], bytes: '' };
    Object.assign(this.current, { program, course });
    course.bytes = await rawRequest(reference, this.address, program.request);
    return { ...course, events: course.events.sort() };
  }
}

describe.each(everyWay)('random programs of a response: $name over $family', ({ subject, family }) => {
  it('do as on node', { timeout: 60_000 + 20 * PROGRAMS }, async () => {
    onUncaught((error) => {
      throw error;
    });
    const random = new Random(SEED);
    const [nodes, ours] = [await Stage.open(reference, family), await Stage.open(subject, family)];
    for (let i = 0; i < PROGRAMS; i++) {
      const program = makeProgram(random);
      const names = program.steps.map(({ name }) => name);
      const expected = await nodes.course(program);
      expect(await ours.course(program), `seed ${String(SEED)}, ${String(i)}: ${names.join(', ')}`).toEqual(expected);
    }
  });
});
