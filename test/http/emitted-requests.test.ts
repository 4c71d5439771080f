/**
 * Who is called for a request, and who hears of it, where a single listener is called without `server.emit`
 * (src/node/http-request-event.ts): each program against node:http, before and after what it changes.
 */
import { EventEmitter, once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { runChild } from '../support/children.js';
import { cleanup, listen, readAll } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';
import { GET, LAST } from './engine-requests.js';

type Tell = (what: unknown) => void;
type Emit = typeof EventEmitter.prototype.emit;

interface Program {
  readonly what: string;
  /** What is done to the server before it listens. */
  prepare?(server: http.Server, tell: Tell): void;
  /** What is done to it between the second request and the third. */
  change?(server: http.Server, tell: Tell): void;
  handle?(this: unknown, tell: Tell, server: http.Server, args: [http.IncomingMessage, http.ServerResponse]): unknown;
}

/** As tracers do it: `emit` of the object is replaced, for as long as the test runs. */
function patch(of: { emit: unknown }, server: http.Server, tell: Tell): void {
  const original = of.emit as Emit;
  const isOwn = Object.hasOwn(of, 'emit');
  of.emit = function (this: EventEmitter, event: string | symbol, ...args: unknown[]): boolean {
    if (this === server && event === 'request') tell('emitted');
    return original.call(this, event, ...args);
  };
  cleanup(() => {
    if (isOwn) of.emit = original;
    else delete (of as { emit?: unknown }).emit;
  });
}

const programs: Program[] = [
  {
    what: 'a function that looks at how it is called',
    handle(tell, server, args) {
      tell([
        this === server,
        args.length,
        args[0] instanceof http.IncomingMessage,
        args[1] instanceof http.ServerResponse,
      ]);
      args[1].end('x');
    },
  },
  {
    what: 'an emit that was replaced on the server',
    prepare: (server, tell) => {
      patch(server, server, tell);
    },
  },
  {
    what: 'an emit that is replaced on the server',
    change: (server, tell) => {
      patch(server, server, tell);
    },
  },
  {
    what: "an emit that is replaced on node's servers",
    change: (server, tell) => {
      patch(http.Server.prototype, server, tell);
    },
  },
  {
    what: 'an emit that is replaced on all emitters',
    change: (server, tell) => {
      patch(EventEmitter.prototype, server, tell);
    },
  },
  {
    what: 'a second listener that comes later',
    change(server, tell) {
      server.on('request', () => {
        tell('second');
      });
    },
  },
  {
    what: 'a second listener that comes within a request, and is called for the next',
    handle(tell, server, [, response]) {
      if (server.listenerCount('request') === 1)
        server.once('request', () => {
          tell('once');
        });
      response.end('x');
    },
  },
  {
    what: 'another listener in the place of the first',
    change(server, tell) {
      server.removeAllListeners('request').on('request', (_, response) => {
        tell('other');
        response.end('y');
      });
    },
  },
  {
    what: 'a single listener that is called once, by another one’s leave',
    prepare(server, tell) {
      const [listener] = server.listeners('request') as [http.RequestListener];
      server.removeAllListeners('request').once('request', (request, response: http.ServerResponse) => {
        tell('once');
        server.on('request', listener);
        listener.call(server, request, response as never);
      });
    },
  },
  {
    what: 'a listener that rejects, of a server that does not mind',
    handle(_, __, [, response]) {
      response.end('x');
      const rejected = Promise.reject(new Error('rejected'));
      rejected.catch(() => undefined);
      return rejected;
    },
  },
];

async function told(subject: Subject, family: Family, program: Program): Promise<unknown[]> {
  const heard: unknown[] = [];
  const tell: Tell = (what) => void heard.push(what);
  const server = subject.http.createServer({}, function (this: unknown, ...args: unknown[]): unknown {
    tell('handler');
    const pair = args as unknown as [http.IncomingMessage, http.ServerResponse];
    if (program.handle !== undefined) return program.handle.call(this, tell, server, pair);
    pair[1].end('x');
    return undefined;
  });
  program.prepare?.(server, tell);
  const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
  cleanup(() => client.destroy());
  const received = readAll(client);
  for (let i = 0; i < 2; i++) {
    client.write(GET);
    await once(client, 'data');
  }
  tell('change');
  program.change?.(server, tell);
  client.write(GET + GET + LAST);
  const answers = (await received).toString('latin1').replace(/^Date: .*$/gm, '');
  return [...heard, answers];
}

describe.each(everyWay)('requests that are emitted: $name over $family', ({ subject, family }) => {
  it.each(programs)('$what', async (program) => {
    expect(await told(subject, family, program)).toEqual(await told(reference, family, program));
  });

  it('answers for listeners that reject, where a server catches that', async () => {
    const before = EventEmitter.captureRejections;
    EventEmitter.captureRejections = true;
    cleanup(() => (EventEmitter.captureRejections = before));
    const server = subject.http.createServer({}, () => Promise.reject(new Error('rejected')) as never);
    EventEmitter.captureRejections = before;
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    client.write(LAST);
    expect((await readAll(client)).toString()).toContain('HTTP/1.1 500 Internal Server Error\r\n');
  });
});

it.each(['native', 'js', 'node:net'] as const)(
  'are emitted within the domain that the server is in: %s',
  async (name) => {
    const { said, code } = await runChild(
      name,
      `
    const domain = (await import('node:domain')).default;
    const net = await import('node:net');
    const ours = await import(process.env.SUBJECT === 'node:net' ? 'node:http' : 'nearwire/http');
    const server = ours.createServer({}, (request, response) => response.end(process.domain === own ? 'in' : 'out'));
    const own = domain.create();
    own.add(server);
    server.listen(0, '127.0.0.1', () => {
      const client = net.connect(server.address().port, '127.0.0.1');
      client.end('GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n');
      client.on('data', (data) => say(String(data).split('\\r\\n\\r\\n')[1]));
      client.on('close', () => server.close());
    });
    `,
    );
    expect({ said, code }).toEqual({ said: ['in'], code: 0 });
  },
);
