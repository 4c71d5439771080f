/**
 * Who hears of a response's end, and in which async context: listeners, replaced methods and subscribers that come
 * before and after `end()`. Each program on each of our ways, as the first and the third request of a connection,
 * against node:http.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import * as diagnostics from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { runChild } from '../support/children.js';
import { cleanup, closed, listen, nextTurn } from '../support/sockets.js';
import { everyWay, reference, type Subject } from '../support/subjects.js';
import { GET, LAST, post } from './engine-requests.js';

type Family = (typeof everyWay)[number]['family'];
type Tell = (what: string) => unknown;
type Emit = typeof EventEmitter.prototype.emit;

interface Program {
  readonly what: string;
  handle(request: http.IncomingMessage, response: http.ServerResponse, tell: Tell): void;
}

const storage = new AsyncLocalStorage<string>();

/** Whose `emit` is told of. */
const watched = new WeakMap<object, Tell>();

function telling(emit: Emit): Emit {
  return function (this: EventEmitter, event: string | symbol, ...args: unknown[]): boolean {
    watched.get(this)?.(`emits ${String(event)}`);
    return emit.call(this, event, ...args);
  };
}

/**
 * In whatever context of the program's. That of the end of a request which nobody reads is, on node, the one in which its stream was
 * last pushed to or read, by the order of ticks in each version.
 */
function anywhere(tell: Tell): Tell {
  return (what) => (storage.getStore() === undefined ? tell(what) : storage.run('any', () => tell(what)));
}

function subscribe(response: http.ServerResponse, tell: Tell): void {
  const name = 'http.server.response.finish';
  const hear = (message: unknown): void => {
    if ((message as { response: unknown }).response !== response) return;
    tell('channel');
    diagnostics.unsubscribe(name, hear);
  };
  diagnostics.subscribe(name, hear);
}

const programs: Program[] = [
  { what: 'nobody', handle: (_, response) => response.end('x') },
  {
    what: 'listeners of the response that come before',
    handle(_, response, tell) {
      for (const name of ['finish', 'close']) response.on(name, () => tell(name));
      storage.run('end', () => response.end('x'));
    },
  },
  {
    what: 'listeners of the response that come after',
    handle(_, response, tell) {
      storage.run('end', () => response.end('x'));
      for (const name of ['finish', 'close']) response.on(name, () => tell(name));
    },
  },
  {
    what: 'the callback of end()',
    handle: (_, response, tell) => {
      storage.run('end', () => response.end('x', () => tell('callback')));
    },
  },
  {
    what: 'the callback of a second end()',
    handle: (_, response, tell) => {
      response.end('x');
      storage.run('second', () => response.end(() => tell('callback')));
    },
  },
  {
    what: 'an emit of the response that is replaced before',
    handle(_, response, tell) {
      watched.set(response, tell);
      response.emit = telling(response.emit as Emit);
      storage.run('end', () => response.end('x'));
    },
  },
  {
    what: 'an emit of the response that is replaced after',
    handle(_, response, tell) {
      storage.run('end', () => response.end('x'));
      watched.set(response, tell);
      response.emit = telling(response.emit as Emit);
    },
  },
  {
    what: 'an emit of the request that is replaced',
    handle(request, response, tell) {
      watched.set(request, anywhere(tell));
      request.emit = telling(request.emit as Emit);
      response.end('x');
    },
  },
  {
    what: 'an emit of the prototype that is replaced, as by domains',
    handle(_, response, tell) {
      const { emit } = EventEmitter.prototype;
      EventEmitter.prototype.emit = telling(emit);
      watched.set(response, (what) => {
        tell(what);
        if (what === 'emits close') EventEmitter.prototype.emit = emit;
      });
      storage.run('end', () => response.end('x'));
    },
  },
  {
    what: 'a subscriber that comes before',
    handle(_, response, tell) {
      subscribe(response, tell);
      storage.run('end', () => response.end('x'));
    },
  },
  {
    what: 'a subscriber that comes after',
    handle(_, response, tell) {
      storage.run('end', () => response.end('x'));
      subscribe(response, tell);
    },
  },
  {
    what: 'listeners of a request that is not read',
    handle(request, response, tell) {
      const told = anywhere(tell);
      for (const name of ['end', 'close']) request.on(name, () => told(`request ${name}`));
      response.end('x');
    },
  },
  {
    what: 'a reader of the request that comes after',
    handle(request, response, tell) {
      storage.run('end', () => response.end('x'));
      storage.run('read', () => request.resume().on('end', () => tell('request end')));
    },
  },
];

/** What is told by the third of three requests of a connection, and by one that is its connection's only one. */
async function toldBy({ http: ours }: Subject, family: Family, program: Program, request: string): Promise<string[]> {
  const told: string[] = [];
  let requests = 0;
  const tell = (what: string): number => told.push(`${what} in ${String(storage.getStore())}`);
  const server = ours.createServer({}, (message, response) => {
    requests++;
    tell('request');
    // Is not to be seen by what comes later on the connection.
    storage.enterWith(`request ${String(requests)}`);
    program.handle(message, response, tell);
  });
  const address = (await storage.run('listen', () => listen(server, family))) as net.NetConnectOpts;
  const client = net.connect(address);
  cleanup(() => client.destroy());
  for (let i = 0; i < 3; i++) {
    client.write(request);
    await once(client, 'data');
  }
  const only = net.connect(address).resume();
  only.end(LAST);
  await closed(only);
  client.end();
  await closed(client.resume());
  // Told a few turns after that.
  for (let i = 0; i < 5; i++) await nextTurn();
  return told;
}

describe.each(everyWay)('the end of a response is heard as on node: $name over $family', ({ subject, family }) => {
  const isSame = async (program: Program, request: string): Promise<void> => {
    expect(await toldBy(subject, family, program, request)).toEqual(await toldBy(reference, family, program, request));
  };

  it.each(programs)('by $what', (program) => isSame(program, GET));

  it.each(programs)('by $what, after a body', (program) => isSame(program, `${post(4)}body`));
});

describe.each(everyWay)('the end of the last connection: $name over $family', ({ subject, family }) => {
  it("emits the server's 'close' in the context in which node does", async () => {
    const contextOf = async ({ http: ours }: Subject): Promise<unknown> => {
      const server = ours.createServer({}, (_, response) => {
        response.shouldKeepAlive = false;
        storage.enterWith('request');
        server.close();
        response.end('x');
      });
      const context = new Promise((resolve) => {
        server.on('close', () => {
          resolve(storage.getStore());
        });
      });
      const client = net.connect((await storage.run('listen', () => listen(server, family))) as net.NetConnectOpts);
      client.end(LAST);
      await closed(client.resume());
      return context;
    };
    expect(await contextOf(subject)).toEqual(await contextOf(reference));
  });
});

it.each(['native', 'js'] as const)(
  'an emit that was replaced before nearwire loads hears all: %s',
  async (transport) => {
    const code = `
    const { EventEmitter } = await import('node:events');
    const { emit } = EventEmitter.prototype;
    const told = [];
    let watched;
    EventEmitter.prototype.emit = function (...args) {
      if (this === watched) told.push(args[0]);
      return Reflect.apply(emit, this, args);
    };
    const http = await import('node:http');
    const nearwire = await import('nearwire/http');
    const server = nearwire.createServer({ transport: '${transport}' }, (_, response) => {
      watched = response;
      response.end();
    });
    await new Promise((resolve) => server.listen({ path: '/tmp/nearwire-' + process.pid + '.sock' }, resolve));
    await new Promise((resolve) => {
      http.get({ socketPath: server.address() }, (answer) => answer.resume().on('end', resolve));
    });
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    say(told);
    server.close();`;
    const { said, stderr } = await runChild(transport, code);
    expect({ said, stderr }).toEqual({ said: [['prefinish', 'finish', 'close']], stderr: '' });
  },
);
