/**
 * A program goes on with a response that it has just ended: ends or writes it again, pipes to it, destroys it, its request or
 * the socket. In node the response is over a tick after its end, here not before the iteration of the event loop is:
 * no error, lost byte or closed connection is to come of that.
 */
import { EventEmitter, once } from 'node:events';
import type * as http from 'node:http';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanup, listen, readAll } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';
import { GET, LAST, post } from './engine-requests.js';

type When = (act: () => void) => void;

/** Behind what has happened before. */
const WHENS: Record<string, When> = {
  'at once': (act) => {
    act();
  },
  'in a microtask': queueMicrotask,
  'in a tick': process.nextTick,
  'in an immediate': setImmediate,
};

interface Deed {
  readonly what: string;
  readonly act: (request: http.IncomingMessage, response: http.ServerResponse) => unknown;
  /** Not when. */
  readonly except?: readonly string[];
}

/** A request that node has discarded by then can't be destroyed: here it still can, in a microtask of the same iteration. */
const DISCARDED = ['in a microtask'];
/** From Node 24 on the response of a connection that is destroyed with an error in the same tick does not finish. */
const FAILED = ['at once', 'in a microtask'];

const deeds: readonly Deed[] = [
  { what: 'ends again', act: (_, response) => response.end('again') },
  { what: 'writes', act: (_, response) => response.write('again') },
  { what: 'pipes the request', act: (request, response) => request.pipe(response) },
  { what: 'destroys the response', act: (_, response) => response.destroy() },
  {
    what: 'destroys the response with an error',
    act: (_, response) => response.destroy(new Error('own')),
    except: FAILED,
  },
  { what: 'destroys the request', act: (request) => request.destroy(), except: DISCARDED },
  {
    what: 'destroys the request with an error',
    act: (request) => request.destroy(new Error('own')),
    except: FAILED,
  },
  { what: 'destroys the socket', act: ({ socket }) => socket.destroy() },
];

const CONTINUE = `${GET.slice(0, -2)}Expect: 100-continue\r\n\r\n`;
const PLAIN = GET.replace('/get', '/plain');

/** What the client sends at once: the first one that is not for /plain is the program's. */
const SENT: Record<string, string> = {
  'a request': GET,
  'one with a body': `${post(4)}body`,
  'one whose body is not complete': `${post(4)}bo`,
  'one with another behind it': GET + PLAIN,
  'one with a body and another behind it': `${post(4)}body${PLAIN}`,
};

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

interface Course {
  readonly subject: Subject;
  readonly family: Family;
  readonly sent: string;
  readonly ends: When;
  readonly goesOn: When;
}

/** What the client gets, and what the program is told. */
async function courseOf({ subject, family, sent, ends, goesOn }: Course, act: Deed['act']): Promise<unknown> {
  const told: string[] = [];
  const program = new EventEmitter();
  const acted = once(program, 'acted');
  const connection = { isClosed: false };
  const server = subject.http.createServer({}, (request, response) => {
    if (request.url === '/last' || request.url === '/plain') {
      response.end(request.url);
      return;
    }
    request.socket.on('close', () => (connection.isClosed = true));
    for (const event of ['finish', 'close', 'error'])
      response.on(event, (error?: Error) => told.push(`response ${event} ${String(error)}`));
    request.on('error', () => undefined).on('aborted', () => told.push('request aborted'));
    ends(() => {
      response.end('answer');
      goesOn(() => {
        act(request, response);
        program.emit('acted');
      });
    });
  });
  const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
  cleanup(() => client.destroy());
  await once(client, 'connect');
  const received = readAll(client).catch(String);
  client.write(sent);
  await acted;
  await settle();
  // Of a body that is not complete, the rest.
  if (!connection.isClosed) client.write(sent.endsWith('bo') ? `dy${LAST}` : LAST);
  const answers = String(await received).replace(/^Date: .*$/gm, '');
  return { answers, told: told.sort() };
}

describe.each(everyWay)('a response that has ended: $name over $family', ({ subject, family }) => {
  describe.each(Object.keys(SENT))('of %s', (what) => {
    describe.each(Object.keys(WHENS))('%s', (ending) => {
      it.each(deeds)('is one whose program $what', async ({ act, except = [] }) => {
        for (const [name, goesOn] of Object.entries(WHENS)) {
          if (except.includes(name)) continue;
          const course = { family, sent: SENT[what] ?? '', ends: WHENS[ending] as When, goesOn };
          const ours = await courseOf({ ...course, subject }, act);
          expect([name, ours]).toEqual([name, await courseOf({ ...course, subject: reference }, act)]);
        }
      });
    });
  });
});

/** They become sockets that node's own code serves, in the midst of a read. */
const MIDST: Record<string, string> = {
  'expects a 100': PLAIN + CONTINUE,
  'has a chunked body': `${PLAIN}POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
};

describe.each(everyWay)('behind a plain request: $name over $family', ({ subject, family }) => {
  describe.each(Object.keys(MIDST))('one that %s', (what) => {
    it.each(Object.keys(WHENS))('has been answered when its program destroys the socket %s', async (name) => {
      const course = { family, sent: MIDST[what] ?? '', ends: WHENS['at once'] as When, goesOn: WHENS[name] as When };
      const act: Deed['act'] = ({ socket }) => socket.destroy();
      expect(await courseOf({ ...course, subject }, act)).toEqual(
        await courseOf({ ...course, subject: reference }, act),
      );
    });
  });
});

describe.each(everyWay)('a response that waits for an earlier one: $name over $family', ({ subject, family }) => {
  const waiting: Record<string, (response: http.ServerResponse) => unknown> = {
    'has ended': (response) => response.end('answer'),
    'has begun': (response) => response.write('ans'),
    'is empty': () => undefined,
  };
  describe.each(Object.keys(waiting))('and %s', (state) => {
    it.each([
      ['the last one', `${PLAIN}${post(4)}body`],
      ['with another behind it', `${PLAIN}${post(4)}body${PLAIN}`],
    ])('sends nothing once it is destroyed: %s', async (_, sent) => {
      const serve = async (by: Subject): Promise<string> => {
        const program = new EventEmitter();
        const acted = once(program, 'acted');
        const server = by.http.createServer({}, (request, response) => {
          if (request.url === '/plain') {
            response.end('plain');
            return;
          }
          request.on('error', () => undefined);
          waiting[state]?.(response);
          response.destroy();
          program.emit('acted');
        });
        const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
        cleanup(() => client.destroy());
        client.write(sent);
        const received = readAll(client);
        await acted;
        await settle();
        // Newer nodes leave the connection open.
        client.end();
        return String(await received).replace(/^Date: .*$/gm, '');
      };
      expect(await serve(subject)).toEqual(await serve(reference));
    });
  });
});
