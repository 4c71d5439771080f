/**
 * Connections of node:http servers whose requests are served without a stream: what a program can do to one of them, and
 * what the peer meets, as with node:http itself.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import * as diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { rawRequest } from '../support/http.js';
import { cleanup, closed, listen, nextTurn, passTime, readUntilClosed } from '../support/sockets.js';
import { everyWay, reference, subjects, type Family, type Subject } from '../support/subjects.js';

const HOST = 'Host: x\r\n';
const GET = `GET /get HTTP/1.1\r\n${HOST}\r\n`;
const LAST = `GET /last HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
const post = (length: number): string => `POST /post HTTP/1.1\r\n${HOST}Content-Length: ${String(length)}\r\n\r\n`;

const withoutDate = (text: string): string => text.replace(/Date: .*\r\n/g, '');

async function told(subject: Subject, family: Family, listener: http.RequestListener, text: string): Promise<string> {
  const address = await listen(subject.http.createServer({}, listener), family);
  return withoutDate(await rawRequest(reference, address, text));
}

/** A response, and what a client is sent as that of the second of its three requests. */
const RESPONSES: Record<string, http.RequestListener> = {
  'a string': (_, response) => response.end('text'),
  'text beyond ASCII': (_, response) => response.end('täxt €'),
  bytes: (_, response) => response.end(Buffer.from('bytes')),
  'many bytes': (_, response) => response.end(Buffer.alloc(100_000, 'x')),
  nothing: (_, response) => response.end(),
  'headers that are set': (_, response) => {
    response.setHeader('X-One', 'one').setHeader('Set-Cookie', ['a=1', 'b=2']).setHeader('X-Number', 3);
    response.end('text');
  },
  'headers by writeHead': (_, response) =>
    response.writeHead(201, { 'X-One': 'one', 'X-List': ['1', '2'] }).end('text'),
  'headers by writeHead, none of a length': (_, response) => response.writeHead(200, 'Fine').end(Buffer.from('bytes')),
  'headers beyond ASCII, in chunks': (_, response) => response.writeHead(200, { 'X-Name': 'nåme' }).end('täxt'),
  'headers beyond ASCII, and a length': (_, response) => response.setHeader('X-Name', 'nåme').end('täxt'),
  'raw headers': (_, response) => response.writeHead(200, ['X-One', 'one', 'X-One', 'two']).end('text'),
  'its own length': (_, response) => response.writeHead(200, { 'Content-Length': 4 }).end('text'),
  'its own Connection': (_, response) => response.setHeader('Connection', 'close').end('text'),
  'its own coding': (_, response) => response.setHeader('Transfer-Encoding', 'chunked').end('text'),
  'trailers without a word': (_, response) => {
    response.writeHead(200);
    response.addTrailers({ 'X-After': 'after' });
    response.end('text');
  },
  'no content': (_, response) => response.writeHead(204).end(),
  'not modified': (_, response) => response.writeHead(304, { ETag: '"1"' }).end(),
  'early hints': (_, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.writeProcessing();
    response.end('text');
  },
  'no date': (_, response) => {
    response.sendDate = false;
    response.end('text');
  },
  'a removed header': (_, response) => {
    response.removeHeader('Connection');
    response.end('text');
  },
  'a removed length, text': (_, response) => {
    response.removeHeader('Content-Length');
    response.end('text');
  },
  'a removed length, set again': (_, response) => {
    response.removeHeader('Content-Length');
    response.setHeader('Content-Length', 4).end('text');
  },
  'a removed coding, text': (_, response) => {
    response.removeHeader('Transfer-Encoding');
    response.end('text');
  },
  'a removed coding, pieces': (_, response) => {
    response.removeHeader('Transfer-Encoding');
    response.write('one');
    response.end('two');
  },
  'a removed length and coding, a length set': (_, response) => {
    response.removeHeader('Content-Length');
    response.removeHeader('Transfer-Encoding');
    response.writeHead(200, { 'Content-Length': 4 }).end('text');
  },
  'a removed length, no content': (_, response) => {
    response.removeHeader('Content-Length');
    response.writeHead(204).end();
  },
  'a status set first': (_, response) => {
    response.statusCode = 404;
    response.statusMessage = 'Gone Away';
    response.end('text');
  },
  'pieces in one tick': (_, response) => {
    response.write('one');
    response.write('two');
    response.end('three');
  },
  'pieces in several': (_, response) => {
    response.write('one');
    setImmediate(() => response.write('two'));
    setImmediate(() => response.end('three'));
  },
  'a corked one': (_, response) => {
    response.cork();
    response.write('one');
    response.write('two');
    response.uncork();
    response.end('three');
  },
  'raw bytes before it': (request, response) => {
    request.socket.write('HTTP/1.1 103 Early Hints\r\n\r\n', 'ascii');
    response.end('text');
  },
};

/** What a program may do with the last piece of a body, when the next request has come with it. */
const LEAVING: Record<string, (request: http.IncomingMessage, response: http.ServerResponse) => unknown> = {
  'destroys the socket': (request) => request.socket.destroy(),
  'destroys the socket soon': (request) => {
    request.socket.destroySoon();
  },
  'destroys the response': (_, response) => response.destroy(),
  'destroys the request': (request) => request.destroy(),
  'ends the socket': (request) => request.socket.end(),
  'answers, and closes': (_, response) => response.writeHead(200, { Connection: 'close' }).end('last'),
};

/** What a program does to its socket; true for those in which node would see less, and so makes a socket of it. */
const TOUCHES: Record<string, (socket: net.Socket) => unknown> = {
  "listens to 'data'": (socket) => socket.on('data', () => undefined),
  'asks for the parser': (socket) => (socket as net.Socket & { parser: unknown }).parser,
  reads: (socket) => {
    const bytes: unknown = socket.read();
    return bytes;
  },
  'takes its options': (socket) => socket.setNoDelay().setKeepAlive(true, 1000).ref(),
  'looks at it': (socket) => [socket.bytesRead, socket.remoteAddress, socket.readyState, socket.writableLength],
};

describe.each(everyWay)('responses: $name over $family', ({ subject, family }) => {
  it.each(Object.entries(RESPONSES))('%s: the same bytes as from node:http', async (_, listener) => {
    const text =
      GET + GET.replace('HTTP/1.1', 'HTTP/1.0').replace('\r\n\r\n', '\r\nConnection: keep-alive\r\n\r\n') + LAST;
    expect(await told(subject, family, listener, text)).toBe(await told(reference, family, listener, text));
    const head = GET.replace('GET', 'HEAD') + LAST;
    expect(await told(subject, family, listener, head)).toBe(await told(reference, family, listener, head));
  });

  it.each([
    ['1.0', 'GET / HTTP/1.0\r\n\r\n'],
    ['1.0, kept', `GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${LAST}`],
    ['1.1, closed', LAST],
    ['1.1, closed in capitals', LAST.replace('close', 'CLOSE')],
  ])('a request of HTTP/%s', async (_, text) => {
    const listener: http.RequestListener = (request, response) => {
      response.setHeader('X-Version', request.httpVersion);
      response.end(JSON.stringify([request.rawHeaders, request.url, request.complete]));
    };
    expect(await told(subject, family, listener, text)).toBe(await told(reference, family, listener, text));
  });

  it.each(Object.entries(TOUCHES))('a handler that %s', async (_, touch) => {
    for (const when of ['at once', 'late', 'when it has answered']) {
      const listener: http.RequestListener = (request, response) => {
        request.resume();
        const act = (): void => void touch(request.socket);
        if (when === 'at once') act();
        if (when === 'late') setImmediate(act);
        if (when !== 'when it has answered') setImmediate(() => response.end(request.url));
        else {
          response.end(request.url);
          act();
        }
      };
      const text = `${GET}${post(5)}hello${LAST}`;
      expect(await told(subject, family, listener, text), when).toBe(await told(reference, family, listener, text));
    }
  });
});

describe.each(everyWay)('a body with a request behind it: $name over $family', ({ subject, family }) => {
  async function events(
    of: Subject,
    leave: (typeof LEAVING)[string],
    first: string,
    second: string,
  ): Promise<string[]> {
    const seen: string[] = [];
    let left: Promise<unknown> | undefined;
    const server = of.http.createServer({}, (request, response) => {
      const url = String(request.url);
      seen.push(url);
      if (url === '/get') return;
      for (const event of ['end', 'error']) request.on(event, () => seen.push(`${event} of ${url}`));
      left = once(response, 'close').then(() => seen.push(`response of ${url} closed`));
      let missing = Number(request.headers['content-length']);
      request.on('data', ({ length }: Buffer) => {
        if ((missing -= length) === 0) leave(request, response);
      });
    });
    server.on('clientError', ({ code }: NodeJS.ErrnoException) => seen.push(String(code)));
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    client.on('error', () => undefined);
    client.write(first);
    await once(server, 'request');
    client.write(second);
    await Promise.all([left, closed(client.resume())]);
    await nextTurn();
    return seen;
  }

  it.each(Object.entries(LEAVING))('a handler that %s', async (_, leave) => {
    const all = [post(3), `one${GET}`] as const;
    const rest = [`${post(6)}one`, `two${GET}`] as const;
    for (const [first, second] of [all, rest]) {
      const expected = await events(reference, leave, first, second);
      expect(await events(subject, leave, first, second)).toEqual(expected);
    }
  });
});

describe.each(everyWay)('a connection: $name over $family', ({ subject, family }) => {
  it('gives a body to a handler that has touched the socket before it came', async () => {
    const server = subject.http.createServer({}, (request, response) => {
      request.socket.on('data', () => undefined);
      let body = '';
      request.setEncoding('latin1').on('data', (text: string) => (body += text));
      request.on('end', () => response.end(body));
    });
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    cleanup(() => client.destroy());
    client.write(`${post(6)}one`);
    await nextTurn();
    setImmediate(() => client.write('two'));
    client.write('');
    const answer = new Promise<string>((resolve) =>
      client.once('data', (bytes) => {
        resolve(String(bytes));
      }),
    );
    expect(await answer).toMatch(/\r\n\r\nonetwo$/);
  });

  it('is a net.Socket to the program, the same one for all requests', async () => {
    const sockets = new Set<net.Socket>();
    const server = subject.http.createServer({}, (request, response) => {
      sockets.add(request.socket);
      response.end();
    });
    const accepted: net.Socket[] = [];
    server.on('connection', (socket: net.Socket) => accepted.push(socket));
    await rawRequest(reference, await listen(server, family), GET + GET + LAST);
    expect([...sockets]).toEqual(accepted);
    expect(accepted[0]).toBeInstanceOf(net.Socket);
    expect(accepted[0]?.destroyed).toBe(true);
  });

  it('gathers no listeners, however many requests it has had', async () => {
    const counts: number[] = [];
    const answers: (() => void)[] = [];
    const server = subject.http.createServer({}, ({ socket }, response) => {
      const names = socket.eventNames();
      counts.push(names.reduce((sum, name) => sum + socket.listenerCount(name), 0));
      // Those that come together wait for each other.
      answers.push(() => response.end());
      if (answers.length === 3) for (const answer of answers.splice(0).reverse()) answer();
    });
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    cleanup(() => client.destroy());
    for (let i = 0; i < 10; i++) {
      const before = counts.length;
      client.write(GET + GET + GET);
      await once(client, 'data');
      while (counts.length < before + 3) await nextTurn();
    }
    const last = counts.slice(-3);
    expect(last).toEqual(counts.slice(3, 6));
  });

  it('keeps what a request enters from those that came with it, where node does', async () => {
    const enter = async ({ http }: Subject): Promise<unknown[]> => {
      const storage = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const server = http.createServer({}, (request, response) => {
        seen.push(storage.getStore());
        storage.enterWith(`entered ${String(request.url)}`);
        setImmediate(() => {
          seen.push(storage.getStore());
          response.end();
        });
      });
      const address = await listen(server, family);
      for (const text of [GET + GET + LAST, post(4) + 'body' + GET + post(4) + 'body' + LAST]) {
        await rawRequest(reference, address, text);
      }
      return seen.sort();
    };
    expect(await enter(subject)).toEqual(await enter(reference));
  });

  it('stays within the async context of its requests', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const server = subject.http.createServer({}, (request, response) => {
      seen.push(storage.getStore());
      storage.enterWith(`entered ${String(request.url)}`);
      storage.run(String(request.url), () => {
        response.on('finish', () => seen.push(storage.getStore()));
        response.end();
      });
    });
    const address = await listen(server, family);
    await Promise.all(['/one', '/two'].map((url) => rawRequest(reference, address, LAST.replace('/last', url))));
    // 'finish' may come after the client has seen the end.
    while (seen.length < 4) await nextTurn();
    expect(seen.sort()).toEqual(['/one', '/two', undefined, undefined]);
  });

  it('ends when nothing comes for keepAliveTimeout', async () => {
    const server = subject.http.createServer({ keepAliveTimeout: 50 }, (_, response) => response.end());
    Object.assign(server, { keepAliveTimeoutBuffer: 0 });
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    const began = performance.now();
    client.write(GET + GET);
    expect(String(await readUntilClosed(client))).toMatch(/Keep-Alive: timeout=0/);
    expect(performance.now() - began).toBeGreaterThan(45);
  });

  it('is idle between requests, too, once it has become a socket', async () => {
    const sockets: net.Socket[] = [];
    const server = subject.http.createServer({}, (request, response) => {
      sockets.push(request.socket);
      response.end('text');
    });
    const address = (await listen(server, family)) as net.NetConnectOpts;
    const client = net.connect(address);
    client.write(GET);
    await once(client, 'data');
    // Neither begins a message.
    client.write('\r\n');
    while ((sockets[0]?.bytesRead ?? 0) < GET.length + 2) await nextTurn();
    sockets[0]?.on('data', () => undefined);
    await nextTurn();
    server.closeIdleConnections();
    await closed(client.resume());
  });

  it('keeps its keepAliveTimeout once it has become a socket', async () => {
    const server = subject.http.createServer({ keepAliveTimeout: 50 }, (_, response) => response.end());
    Object.assign(server, { keepAliveTimeoutBuffer: 0 });
    const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
    client.write(GET);
    await once(client, 'data');
    client.write('\r\n');
    await closed(client.resume());
  });

  it('has its channels told once of each request, whatever becomes of it', async () => {
    const told: string[] = [];
    const names = ['http.server.request.start', 'http.server.response.finish'] as const;
    for (const name of names) {
      const note = (message: unknown): void => {
        const { request } = message as { request: http.IncomingMessage };
        told.push(`${name} ${String(request.url)}`);
      };
      diagnostics.subscribe(name, note);
      cleanup(() => diagnostics.unsubscribe(name, note));
    }
    const server = subject.http.createServer({}, (request, response) => {
      if (request.url === '/get') request.socket.on('data', () => undefined);
      response.end('text');
    });
    await rawRequest(reference, await listen(server, family), post(0) + GET + LAST);
    await nextTurn();
    expect(told.sort()).toEqual(
      names
        .flatMap((name) => ['/get', '/last', '/post'].map((url) => `${name} ${url}`))
        .reverse()
        .sort(),
    );
  });

  it("tells of its server's timeout, and ends if nobody minds", async () => {
    for (const isHeard of [false, true]) {
      const heard: string[] = [];
      const server = subject.http.createServer({}, (request, response) => {
        request.on('timeout', () => heard.push('request'));
        response.on('timeout', () => {
          heard.push('response');
          response.end('late');
        });
        if (!isHeard) response.removeAllListeners('timeout');
      });
      server.setTimeout(30);
      const client = net.connect((await listen(server, family)) as net.NetConnectOpts);
      client.write(LAST);
      expect(String(await readUntilClosed(client)).endsWith('late')).toBe(isHeard);
      expect(heard).toEqual(isHeard ? ['response'] : []);
    }
  });

  it('is closed by closeAllConnections, and by closeIdleConnections once it is idle', async () => {
    const server = subject.http.createServer({}, (request, response) => {
      if (request.url === '/get') response.end('text');
      else response.flushHeaders();
    });
    const address = (await listen(server, family)) as net.NetConnectOpts;
    const [idle, busy] = [net.connect(address), net.connect(address)];
    for (const client of [idle, busy]) cleanup(() => client.destroy());
    idle.write(GET);
    busy.write(post(0));
    await Promise.all([idle, busy].map((client) => new Promise((resolve) => client.once('data', resolve))));
    server.closeIdleConnections();
    await closed(idle);
    await nextTurn();
    expect(busy.readableEnded).toBe(false);
    server.closeAllConnections();
    await closed(busy);
  });

  it('refuses what does not come in time', async () => {
    const server = subject.http.createServer(
      { requestTimeout: 60, headersTimeout: 30, connectionsCheckingInterval: 20 },
      (request, response) => {
        request.resume().on('end', () => response.end());
        request.on('error', () => undefined);
      },
    );
    const address = await listen(server, family);
    for (const text of ['', `${GET}${post(5)}one`]) {
      const client = net.connect(address as net.NetConnectOpts);
      client.write(text);
      const answer = String(await readUntilClosed(client));
      expect(answer).toMatch(/HTTP\/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n$/);
    }
  });

  it('refuses what does not come in time from the request on, whatever the program takes meanwhile', async () => {
    const bodies: http.IncomingMessage[] = [];
    const refused: unknown[] = [];
    const options = { requestTimeout: 300, connectionsCheckingInterval: 20 };
    const server = subject.http.createServer(options, (request) => {
      bodies.push(request);
      request.on('error', () => undefined).resume();
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      refused.push(error.code, socket);
      socket.destroy();
    });
    const address = await listen(server, family);
    const clients: net.Socket[] = [];
    for (const count of [1, 2]) {
      clients.push(net.connect(address as net.NetConnectOpts).on('error', () => undefined));
      clients.at(-1)?.write(`${post(5)}one`);
      await expect.poll(() => bodies.length, { interval: 1 }).toBe(count);
    }
    // Counted from here on, the first would be refused later than the second.
    await passTime(100);
    const [first, second] = bodies.map(({ socket }) => socket);
    first?.on('data', () => undefined);
    const ends = clients.map(closed);
    await ends[1];
    await nextTurn();
    expect(refused).toHaveLength(4);
    expect(refused).toEqual(expect.arrayContaining(['ERR_HTTP_REQUEST_TIMEOUT', first, second]));
    await ends[0];
  });

  it('tells request and response when the peer goes', async () => {
    const events: string[] = [];
    const done = new Promise<void>((resolve) => {
      const server = subject.http.createServer({}, (request, response) => {
        request.on('aborted', () => events.push('aborted'));
        request.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${String(error.code)}`));
        request.on('close', () => events.push('request closed'));
        response.on('close', () => {
          events.push('response closed');
          resolve();
        });
      });
      void listen(server, family).then((address) => {
        const client = net.connect(address as net.NetConnectOpts);
        client.write(post(5));
        setTimeout(() => client.destroy(), 20);
      });
    });
    await done;
    await nextTurn();
    expect(events.sort()).toEqual(['aborted', 'error ECONNRESET', 'request closed', 'response closed']);
  });
});

describe.each(subjects)('a slow peer: $name', (subject) => {
  // Over TCP the kernels' buffers hide how far it is, from node as well.
  it('is not idle while its peer reads slowly', async () => {
    const size = 8_000_000;
    const server = subject.http.createServer({}, (_, response) => response.end(Buffer.alloc(size)));
    server.setTimeout(400);
    const client = net.connect((await listen(server, 'unix')) as net.NetConnectOpts);
    cleanup(() => client.destroy());
    client.write(LAST);
    let [received, pieces] = [0, 0];
    for await (const { length } of client.iterator() as AsyncIterable<Buffer>) {
      received += length;
      // Three times as long as the timeout, but never that long without a byte.
      if (pieces++ < 24) await passTime(50);
    }
    expect(received).toBeGreaterThan(size);
  });
});
