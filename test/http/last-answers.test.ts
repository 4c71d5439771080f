/**
 * What lies behind a last answer, a listener that throws or a body that nobody reads: node:http over nearwire makes the
 * same of it as node:http, event by event of each emitter, and for the peer byte by byte.
 */
import { once } from 'node:events';
import type * as http from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { PLAIN_REQUEST } from '../support/conversations.js';
import { cleanup, closed, listen, nextTurn, readAll } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

const HOST = 'Host: x\r\n';
const GET = `GET /get HTTP/1.1\r\n${HOST}\r\n`;
const post = (headers = '', body = 'hello'): string =>
  `POST /post HTTP/1.1\r\n${HOST}${headers}Content-Length: ${String(body.length)}\r\n\r\n${body}`;
const LAST = post('Connection: close\r\n');
/** Longer than what node reads at once, and than what a request that is not read keeps. */
const LONG = 'x'.repeat(70_000);

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;
type ClientErrorListener = (error: NodeJS.ErrnoException, socket: Socket) => void;

interface Program {
  /** Sent when the answers to two plain requests have come, or at once. */
  readonly bytes: string;
  readonly handler: Handler;
  readonly clientError?: ClientErrorListener;
}

/** Whether listeners are added to the sockets: a connection that nobody listens to is closed otherwise. */
type Watching = 'watched' | 'unwatched';

/** Iterations of the event loop in which the last events come that are owed to a closed connection. */
const LAST_TURNS = 20;

/** What each emitter told of, in its own order. */
type Course = Record<string, string[]>;

const codeOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message;

function noteSocket(socket: Socket, note: (of: string, what: string) => void): void {
  socket.on('error', (error) => {
    note('socket', `error ${codeOf(error)}`);
  });
  socket.on('close', (hadError) => {
    note('socket', `close ${String(hadError)}`);
  });
}

async function run(
  subject: Subject,
  family: Family,
  program: Program,
  warm: boolean,
  watching: Watching,
): Promise<Course> {
  const course: Course = {};
  const note = (of: string, what: string): void => {
    (course[of] ??= []).push(what);
  };
  onUncaught((error) => {
    note('process', error.message);
  });
  let requests = 0;
  const server = subject.http.createServer({}, (request, response) => {
    if (request.url === '/before') {
      response.end('before');
      return;
    }
    const number = String(requests++);
    note(`request ${number}`, String(request.url));
    for (const event of ['end', 'aborted', 'close']) {
      request.on(event, () => {
        note(`request ${number}`, event);
      });
    }
    response.on('finish', () => {
      note(`response ${number}`, 'finish');
    });
    response.on('close', () => {
      note(`response ${number}`, `close ${String(response.writableFinished)}`);
    });
    program.handler(request, response);
  });
  const isWatched = watching === 'watched';
  if (isWatched) {
    server.on('connection', (socket: Socket) => {
      noteSocket(socket, note);
    });
  }
  const { clientError } = program;
  if (clientError !== undefined) {
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const { destroyed, readable, writable, writableEnded } = socket;
      note('clientError', codeOf(error) + JSON.stringify({ destroyed, readable, writable, writableEnded }));
      clientError(error, socket);
    });
  }
  const client = reference.connect(await listen(server, family));
  let answers = '';
  client.setEncoding('latin1').on('data', (text: string) => (answers += text));
  client.on('error', () => undefined);
  for (let i = 1; warm && i <= 2; i++) {
    client.write(PLAIN_REQUEST);
    while (answers.split('before').length <= i) await once(client, 'data');
  }
  const closes = closed(client);
  client.write(program.bytes, 'latin1');
  await closes;
  while (isWatched && course['socket']?.at(-1)?.startsWith('close') !== true) await nextTurn();
  for (let turn = 0; turn < LAST_TURNS; turn++) await nextTurn();
  note('client', answers.replace(/Date: .*\r\n/g, ''));
  return course;
}

const answer: Handler = (request, response) => {
  response.end(request.url);
};

const answerLast: Handler = (request, response) => {
  response.setHeader('Connection', 'close');
  answer(request, response);
};

const destroys: ClientErrorListener = (_, socket) => {
  socket.destroy();
};

/** What a peer that has been told nothing more meets in the end. */
function closeAtEnd(socket: Socket): void {
  if (!socket.destroyed) socket.end();
}

const PROGRAMS: Record<string, Program> = {
  'a request behind a last one': { bytes: LAST + GET, handler: answer },
  "a request behind a last one, and 'clientError' answers": {
    bytes: LAST + GET,
    handler: answer,
    clientError: (_, socket) => {
      socket.end('HTTP/1.1 400 Own\r\n\r\n');
    },
  },
  "a request behind a last one, and 'clientError' destroys": {
    bytes: LAST + GET,
    handler: answer,
    clientError: destroys,
  },
  'nonsense behind a last answer': {
    bytes: `${post()}\0${GET}`,
    handler: answerLast,
    clientError: destroys,
  },
  'requests behind one whose answer is the last': {
    bytes: `${GET}${post()}${GET}${GET}`,
    handler: (request, response) => {
      const answers = request.method === 'POST' ? answerLast : answer;
      answers(request, response);
    },
  },
  'requests behind one whose answer is the last, which are not answered': {
    bytes: `${GET}${post()}${post()}`,
    handler: (request, response) => {
      if (request.method === 'GET') answerLast(request, response);
    },
  },
  'requests behind one whose answer is the last and comes late, which have been answered': {
    bytes: `${post()}${GET}${GET}`,
    handler: (request, response) => {
      if (request.method === 'POST') setImmediate(answerLast, request, response);
      else answer(request, response);
    },
  },
  'a body that comes behind one whose answer is the last': {
    bytes: `${GET}${post('', LONG)}`,
    handler: (request, response) => {
      if (request.method === 'GET') answerLast(request, response);
      else request.resume();
    },
  },
  'a last answer that comes in a tick, amid a read': {
    bytes: LAST + GET,
    handler: (request, response) => {
      process.nextTick(answer, request, response);
    },
    clientError: destroys,
  },
  'the first part of a request behind one, both behind one whose answer is the last and comes before its body': {
    bytes: `${post()}${post()}GET /part`,
    handler: (request, response) => {
      request.resume();
      answerLast(request, response);
    },
  },
  'nonsense behind an answer, in one read': {
    bytes: `${GET}\0`,
    handler: answer,
  },
  'an answer, and the socket destroyed': {
    bytes: GET,
    handler: (request, response) => {
      answer(request, response);
      request.socket.destroy();
    },
  },
  "a listener of 'finish' that throws, before another request": {
    bytes: post() + GET,
    handler: (request, response) => {
      response.on('finish', () => {
        throw new Error('thrown');
      });
      answer(request, response);
    },
    clientError: (_, socket) => {
      closeAtEnd(socket);
    },
  },
};

describe.each(everyWay)('behind a last answer: $name over $family', ({ subject, family }) => {
  for (const [name, program] of Object.entries(PROGRAMS)) {
    it.each<[Watching, string, boolean]>([
      ['watched', 'first', false],
      ['watched', 'third', true],
      ['unwatched', 'first', false],
      ['unwatched', 'third', true],
    ])(`${name}, on a connection that is %s, in its %s read`, async (watching, _, warm) => {
      // Where the reading stops without a word the connection's end is its peer's affair.
      const ends = name.includes("'finish'") ? { ...program, handler: endsLater(program.handler) } : program;
      const expected = await run(reference, family, ends, warm, watching);
      expect(expected['request 0']).toBeDefined();
      expect(await run(subject, family, ends, warm, watching)).toEqual(expected);
    });
  }

  /** Two clients that say `Connection: close`, and send on while their requests are handled for so many milliseconds. */
  async function sendOn(which: Subject, millis: number): Promise<{ answers: string[]; errors: string[] }> {
    const clients = new Map<string | undefined, Socket>();
    const server = which.http.createServer({}, (request, response) => {
      // In this process: with the kernel when this returns.
      clients.get(request.url)?.write(GET);
      const begin = performance.now();
      while (performance.now() - begin < millis);
      response.end(request.url);
    });
    const address = await listen(server, family);
    const answers: string[] = [];
    const errors: string[] = [];
    for (const url of ['/one', '/two']) {
      const client = reference.connect(address);
      clients.set(url, client);
      client.on('error', (error) => errors.push(codeOf(error)));
      let answer = '';
      client.setEncoding('latin1').on('data', (text: string) => (answer += text));
      client.on('close', () => answers.push(answer.replace(/Date: .*\r\n/g, '')));
    }
    await Promise.all([...clients.values()].map((client) => once(client, 'connect')));
    for (const [url, client] of clients) client.write(LAST.replace('/post', String(url)));
    while (answers.length < clients.size) await nextTurn();
    return { answers: answers.sort(), errors };
  }

  it('reads what a peer sends behind its last request, while that is handled', async () => {
    const expected = await sendOn(reference, 5);
    expect(expected.answers.join()).toContain('/one');
    expect(await sendOn(subject, 5)).toEqual(expected);
  });

  it('answers such a peer in full where handlers are quick: a reset may follow, as on node', async () => {
    for (let i = 0; i < 20; i++) {
      const expected = await sendOn(reference, 0);
      const met = await sendOn(subject, 0);
      expect(met.answers).toEqual(expected.answers);
      // See SocketConnection.expectsNothing.
      for (const { errors } of [expected, met]) expect(errors.filter((code) => code !== 'ECONNRESET')).toEqual([]);
    }
  });

  it.each<[string, string, Handler]>([
    ['a tick', '', (request) => void request.resume()],
    ['its handler, behind another request', GET, () => undefined],
    ['its handler, which has destroyed it', GET, (request) => void request.destroy()],
  ])('is through with a request that is longer than a read where this throws: %s', async (where, before, begin) => {
    const meet = async (which: Subject): Promise<string> => {
      onUncaught(() => undefined);
      const server = which.http.createServer({}, (request, response) => {
        const throws = (): never => {
          throw new Error('thrown');
        };
        if (request.method === 'GET') {
          request.resume().on('end', () => response.end('first'));
          return;
        }
        response.end('answered');
        begin(request, response);
        if (where !== 'a tick') throws();
        process.nextTick(throws);
      });
      const client = reference.connect(await listen(server, family));
      client.on('error', () => undefined);
      let told = '';
      client.setEncoding('latin1').on('data', (text: string) => (told += text));
      client.write(before + post('', LONG));
      await closed(client);
      return told.replace(/Date: .*\r\n/g, '');
    };
    const expected = await meet(reference);
    if (where === 'a tick') expect(expected).toContain('answered');
    if (!where.includes('destroyed')) expect(expected).toContain('400 Bad Request');
    expect(await meet(subject)).toBe(expected);
  });

  it.each(['at rest', 'in the hands of another'])("tells of the peer's end as node does: a body %s", async (how) => {
    const meet = async (which: Subject): Promise<string[]> => {
      const events: string[] = [];
      const server = which.http.createServer({ highWaterMark: 16 }, (request, response) => {
        if (request.url === '/get') {
          response.end();
          return;
        }
        if (how !== 'at rest') request.socket.on('data', () => undefined);
        request.socket.on('end', () => events.push('end'));
        request.on('aborted', () => events.push('aborted'));
        events.push('request');
      });
      const address = await listen(server, family);
      const client = reference.connect(address);
      cleanup(() => client.destroy());
      client.on('error', () => undefined);
      client.write(`POST /post HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\n${'x'.repeat(100)}`);
      while (events.length === 0) await nextTurn();
      client.end();
      // What another connection is told after it has been seen by the server, too.
      for (let i = 0; i < 3; i++) {
        const other = reference.connect(address);
        other.end(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
        await readAll(other);
      }
      return events;
    };
    const expected = await meet(reference);
    expect(expected).toEqual(how === 'at rest' ? ['request'] : expected);
    expect(await meet(subject)).toEqual(expected);
  });
});

/** The server's side ends when all has been said. */
function endsLater(handler: Handler): Handler {
  return (request, response) => {
    const { socket } = request;
    setImmediate(() => {
      setImmediate(closeAtEnd, socket);
    });
    handler(request, response);
  };
}
