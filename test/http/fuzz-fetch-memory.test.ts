/**
 * Whole conversations of mutated requests with a fetch handler, in memory: on the engine, and by node's code. For long runs
 * `npm run fuzz:http -- --connections --fetch`, which sets NEARWIRE_FUZZ_CONVERSATIONS, _FIRST, _SEED and _SECONDS.
 */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FastResponse, serve, type ServeOptions } from 'nearwire/http';
import { subjects } from '../support/subjects.js';
import { Mutator } from './fuzz-mutate.js';
import { mutatedScripts } from './fuzz-scripts.js';
import { Comparison } from './memory-compare.js';
import { NearwireInMemory } from './memory-engine.js';
import { NodeInMemory } from './memory-node.js';
import type { Script, Setting } from './talk.js';
import type { Difference } from './vectors-compare.js';

const CASES = Number(process.env['NEARWIRE_FUZZ_CONVERSATIONS'] ?? 3000);
/** The number of the first input, so that several processes share a seed. */
const FIRST = Number(process.env['NEARWIRE_FUZZ_FIRST'] ?? 0);
const SEED = Number(process.env['NEARWIRE_FUZZ_SEED'] ?? 1);
/** Of few conversations, in which each kind of difference is known to be. */
const SMALL_SEED = 1;
const SECONDS = Number(process.env['NEARWIRE_FUZZ_SECONDS'] ?? Infinity);
/** Conversations of one handler, and between two looks at the clock. */
const BATCH = 100;
const MILLIS_EACH = 20;
const natives = subjects.filter(({ name }) => name === 'native');

type Handler = (request: Request) => Response;

const SETTING: Setting = { family: 'unix', listens: false };
/** In milliseconds: a stall of the host must close no connection. */
const PATIENT = 600_000;

function described({ method, url, headers, body }: Request): string {
  return JSON.stringify({ method, url, headers: [...headers], hasBody: body !== null });
}

/** Each answers at once: when a promise is settled between two requests of one read is a matter of ticks. */
const handlers = {
  'answers with text': (request) => new FastResponse(described(request)),
  'answers with a status and headers': (request) =>
    new FastResponse(described(request), { status: 201, headers: { 'X-Own': 'own' } }),
  'answers with nothing': () => new FastResponse(null, { status: 204 }),
  'answers with bytes': (request) => new FastResponse(Buffer.from(described(request))),
  throws: (request) => {
    throw new Error(described(request));
  },
} satisfies Readonly<Record<string, Handler>>;

/** A server, and what its handler has been given. */
function serverOf(handler: Handler, way: Pick<ServeOptions, 'transport' | 'engine'>) {
  const calls: string[] = [];
  const fetch = (request: Request): Response => {
    calls.push(described(request));
    return handler(request);
  };
  const error = (failure: unknown): Response => new FastResponse((failure as Error).message, { status: 500 });
  return { calls, server: serve({ fetch, error, keepAliveTimeout: PATIENT, ...way }) };
}

class FetchComparison {
  private readonly node;
  private readonly nearwire;
  private readonly answers: Comparison;

  /** `ours` is another one than node's only to see that differences are noticed. */
  constructor(handler: Handler, ours = handler) {
    this.node = serverOf(handler, { transport: 'js', engine: 'node' });
    const { server } = (this.nearwire = serverOf(ours, { transport: 'native' }));
    const closeAll = (): void => {
      server.closeAllConnections();
    };
    const memory = new NearwireInMemory(server, () => undefined, closeAll);
    this.answers = new Comparison([new NodeInMemory(this.node.server), memory], SETTING);
  }

  /** What the handlers have been given, and what the clients have got, where they differ. */
  async differences(some: readonly Script[]): Promise<Difference[]> {
    const found = (await this.answers.differences(some)).filter((one) => !isAlikeOrFurther(one));
    const [expected = [], told = []] = [this.node, this.nearwire].map(({ calls }) => calls.splice(0).sort());
    if (expected.join('\n') !== told.join('\n'))
      found.push({ name: 'what handlers were given', pieces: [], expected, told });
    return found;
  }
}

/** That what follows cannot be read, if it is told, and the end. */
const END = /(?:HTTP\/1\.1 4\d\d [^\r]*\r\nConnection: close\r\n\r\n)?<end><close>$/;

/** Node may write it into the answer to the request before. */
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** In whatever steps. */
function answersOf(record: readonly string[]): string {
  return record.join('\n').replaceAll('|', '').replaceAll(CONTINUE, '');
}

/**
 * The same, or node has closed the connection, as what has come cannot be read, and here the same bytes come before
 * that. Node loses the responses that wait then, and tells nothing where one is not over, which is a matter of ticks.
 */
function isAlikeOrFurther({ expected, told }: Difference): boolean {
  const [answers, ours] = [answersOf(expected), answersOf(told)];
  if (answers === ours) return true;
  return END.test(answers) && END.test(ours) && ours.startsWith(answers.replace(END, ''));
}

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});

describe.each(natives)('mutated conversations with fetch handlers in memory: $name', () => {
  it(
    "are answered as by node's code",
    async () => {
      const comparisons = Object.entries(handlers).map(([name, handler]) => ({
        name,
        comparison: new FetchComparison(handler),
      }));
      const mutator = new Mutator(SEED);
      const began = performance.now();
      const seconds = (): number => (performance.now() - began) / 1000;
      let done = 0;
      while (done < CASES && seconds() < SECONDS) {
        for (const { name, comparison } of comparisons) {
          const some = mutatedScripts(mutator, FIRST + done, Math.min(BATCH, CASES - done));
          expect(await comparison.differences(some), `seed ${String(SEED)}, ${name}`).toEqual([]);
          done += some.length;
        }
      }
      expect(done).toBeGreaterThan(0);
      if (CASES > 3000) console.log(`seed ${String(SEED)}: ${String(done)} conversations in ${seconds().toFixed(1)} s`);
    },
    60_000 + CASES * MILLIS_EACH,
  );

  it('have differences that are noticed', async () => {
    const noticed = async (ours: Handler): Promise<number> => {
      const some = mutatedScripts(new Mutator(SMALL_SEED), 0, 2 * BATCH);
      return (await new FetchComparison(handlers['answers with text'], ours).differences(some)).length;
    };
    expect(await noticed(handlers['answers with bytes'])).toBeGreaterThan(BATCH);
    expect(await noticed(handlers['answers with text'])).toBe(0);
    expect(await noticed(handlers.throws)).toBeGreaterThan(BATCH);
  });
});
