/**
 * Requests and responses that a program keeps after they have been answered (logs, metrics, caches), and looks at, reads
 * or writes then: each against node:http. What it does with them must not reach the connection, which has gone on.
 */
import { once } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { finished, PassThrough, pipeline, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { cleanup, listen, readAll } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';
import { GET, LAST, post } from './engine-requests.js';

type Tell = (what: unknown) => void;

interface Program {
  readonly what: string;
  /** What is done with a request and its response that have been answered. */
  use(request: http.IncomingMessage, response: http.ServerResponse, tell: Tell): unknown;
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

function note(emitter: NodeJS.EventEmitter, tell: Tell, ...events: string[]): void {
  for (const event of events)
    emitter.on(event, (value: unknown) => {
      tell([event, value instanceof Error ? codeOf(value) : String(value)]);
    });
}

function attempt(tell: Tell, act: () => unknown): void {
  try {
    tell(['returned', typeof act()]);
  } catch (error) {
    tell(['thrown', codeOf(error)]);
  }
}

const REQUEST_FIELDS = [
  ...['destroyed', 'closed', 'errored', 'aborted', 'complete', 'readable', 'readableAborted', 'readableDidRead'],
  ...['readableEnded', 'readableFlowing', 'readableLength', 'readableEncoding', 'readableObjectMode', '_dumped'],
];
const RESPONSE_FIELDS = [
  ...['destroyed', 'closed', 'errored', 'finished', 'headersSent', 'writable', 'writableEnded', 'writableFinished'],
  ...['writableLength', 'writableNeedDrain', 'writableCorked', 'writableObjectMode', 'statusCode', 'statusMessage'],
];
const STATE_FIELDS = [
  ...[
    'ended',
    'endEmitted',
    'destroyed',
    'closed',
    'closeEmitted',
    'errored',
    'errorEmitted',
    'autoDestroy',
    'reading',
  ],
  ...['constructed', 'emitClose', 'needReadable', 'dataEmitted', 'multiAwaitDrain', 'length', 'objectMode'],
];

function fieldsOf(object: object, names: readonly string[]): unknown[] {
  return names.map((name) => [name, (object as Record<string, unknown>)[name]]);
}

const programs: Program[] = [
  {
    what: 'are looked at',
    use(request, response, tell) {
      tell(fieldsOf(request, REQUEST_FIELDS));
      tell(fieldsOf(response, RESPONSE_FIELDS));
      tell([Readable.isDisturbed(request), response.socket, response.getHeaderNames()]);
    },
  },
  {
    what: 'have the state that node gives a request',
    use(request, _, tell) {
      tell(fieldsOf((request as http.IncomingMessage & { _readableState: object })._readableState, STATE_FIELDS));
    },
  },
  {
    what: 'are listened to',
    use(request, response, tell) {
      note(request, tell, 'data', 'end', 'error', 'close', 'aborted');
      note(response, tell, 'finish', 'error', 'close');
    },
  },
  {
    what: 'are waited for',
    use(request, response, tell) {
      finished(request, (error) => {
        tell(['request', error && codeOf(error)]);
      });
      finished(response, (error) => {
        tell(['response', error && codeOf(error)]);
      });
    },
  },
  {
    what: 'are read one piece after another',
    async use(request, _, tell) {
      try {
        for await (const piece of request) tell(String(piece));
        tell('end');
      } catch (error) {
        tell(codeOf(error));
      }
    },
  },
  {
    what: 'are read, paused and resumed',
    use(request, _, tell) {
      note(request, tell, 'data', 'readable', 'end', 'error');
      attempt(tell, () => request.read());
      attempt(tell, () => request.pause());
      attempt(tell, () => request.resume());
      attempt(tell, () => request.setEncoding('utf8'));
      attempt(tell, () => {
        request.unshift('late');
      });
      attempt(tell, () => request.push('late'));
    },
  },
  {
    what: 'are piped',
    use(request, response, tell) {
      attempt(tell, () =>
        pipeline(request, new PassThrough().resume(), (error) => {
          tell(['request', error && codeOf(error)]);
        }),
      );
      attempt(tell, () =>
        pipeline(Readable.from(['late']), response, (error) => {
          tell(['response', error && codeOf(error)]);
        }),
      );
    },
  },
  {
    what: 'are written',
    use(_, response, tell) {
      note(response, tell, 'finish', 'error', 'close');
      attempt(tell, () =>
        response.write('late', (error) => {
          tell(['written', error && codeOf(error)]);
        }),
      );
      attempt(tell, () =>
        response.end('late', () => {
          tell('ended');
        }),
      );
    },
  },
  {
    what: 'are ended again',
    use(_, response, tell) {
      attempt(tell, () => response.end());
      attempt(tell, () => {
        response.end((error?: Error) => {
          tell(['ended', error && codeOf(error)]);
        });
      });
    },
  },
  {
    what: 'are given other headers',
    use(_, response, tell) {
      attempt(tell, () => response.setHeader('X-Late', '1'));
      attempt(tell, () => {
        response.removeHeader('Date');
      });
      attempt(tell, () => response.writeHead(500));
      attempt(tell, () => {
        response.flushHeaders();
      });
      attempt(tell, () => {
        response.addTrailers({ 'X-Late': '1' });
      });
      attempt(tell, () => {
        response.writeContinue();
      });
    },
  },
  {
    what: 'are corked and uncorked',
    use(_, response, tell) {
      attempt(tell, () => {
        response.cork();
      });
      attempt(tell, () => {
        response.uncork();
      });
    },
  },
  {
    what: 'are destroyed',
    use(request, response, tell) {
      note(request, tell, 'error', 'close', 'aborted');
      note(response, tell, 'error', 'close');
      attempt(tell, () => request.destroy());
      attempt(tell, () => response.destroy());
      tell([request.destroyed, response.destroyed, request.socket.destroyed]);
    },
  },
  {
    what: 'are given a time limit',
    use(request, response, tell) {
      attempt(tell, () => request.setTimeout(10_000));
      attempt(tell, () => response.setTimeout(10_000));
      request.socket.setTimeout(0);
    },
  },
];

const bodies = [
  { name: 'without a body', sent: GET },
  { name: 'with a body', sent: `${post(4)}body` },
  { name: 'with an empty body', sent: post(0) },
  { name: 'of HEAD', sent: GET.replace('GET', 'HEAD') },
];

/** How a request is answered, and what has happened to it before. */
const handlers: Record<string, http.RequestListener> = {
  'at once': (_, response) => {
    response.end('first');
  },
  'a turn later': (_, response) => {
    setImmediate(() => response.end('first'));
  },
  'in two writes': (_, response) => {
    response.write('first');
    response.end('first');
  },
  'once it has been read': (request, response) => {
    request.resume().on('end', () => response.end('first'));
  },
  'by one who hears of its end': (request, response) => {
    request.on('close', () => undefined);
    response.on('finish', () => undefined).end('first');
  },
};

/** Enough for what node does in ticks and at the end of an event-loop iteration. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

async function told(subject: Subject, family: Family, sent: string, handle: string, use: Program['use']) {
  const heard: unknown[] = [];
  let kept: Parameters<Program['use']> | undefined;
  const server = subject.http.createServer({}, (request, response) => {
    if (request.url === '/last') {
      response.end('last');
      return;
    }
    if (kept === undefined) {
      kept = [request, response, (what) => void heard.push(what)];
      handlers[handle]?.(request, response);
      return;
    }
    const [of, by, tell] = kept;
    // Errors that node gives by events alone.
    of.on('error', () => undefined);
    by.on('error', () => undefined);
    void (async () => {
      await use(of, by, tell);
      await settle();
      response.end('second');
    })();
  });
  const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
  cleanup(() => client.destroy());
  client.on('error', () => undefined);
  const received = readAll(client).catch(codeOf);
  client.write(sent);
  await once(client, 'data');
  // In pieces: the answer in two writes comes in one or two.
  await settle();
  client.write(GET);
  client.write(LAST);
  const answers = String(await received).replace(/^Date: .*$/gm, '');
  return [...heard, answers];
}

describe.each(everyWay)('messages that have been answered: $name over $family', ({ subject, family }) => {
  describe.each(bodies)('$name', ({ sent }) => {
    describe.each(Object.keys(handlers))('%s', (handle) => {
      it.each(programs)('$what', async ({ use }) => {
        expect(await told(subject, family, sent, handle, use)).toEqual(
          await told(reference, family, sent, handle, use),
        );
      });
    });
  });
});
