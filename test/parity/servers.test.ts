/** Servers of net and http: the record of events is node:net's in the same run. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import * as http from 'node:http';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { cleanup, closed, nextTurn } from '../support/sockets.js';
import { compare, type Scenario, type Stage } from '../support/stage.js';
import { everyWay, subjects } from '../support/subjects.js';

/** The moment at which one object's event comes, whatever the others do. */
function told(server: Server, event: string): Promise<void> {
  return new Promise((resolve) => {
    server.once(event, () => {
      resolve();
    });
  });
}

const scenarios: Record<string, Scenario> = {
  'listen() with a callback': async (stage) => {
    const server = stage.server();
    stage.within('listen', () => {
      stage.try(server, 'listen', () => server.listen(stage.freshAddress(), stage.callback(server, 'callback')));
    });
    stage.note(server, 'called');
    await told(server, 'listening');
  },
  'listen() on a busy address': async (stage) => {
    const address = await stage.listen(stage.server());
    const second = stage.server({}, 'second');
    second.on('error', () => undefined);
    stage.within('listen', () => second.listen(address, stage.callback(second, 'unexpected')));
    await told(second, 'error');
    stage.try(second, 'close', () => second.close(stage.callback(second, 'close callback')));
  },
  'listen() twice': async (stage) => {
    const server = stage.server();
    await stage.listen(server);
    stage.try(server, 'second listen', () => server.listen(stage.freshAddress()));
  },
  'listen(), close() and listen() again': async (stage) => {
    const server = stage.server();
    await stage.listen(server);
    stage.try(server, 'close', () => server.close(stage.callback(server, 'close callback')));
    await told(server, 'close');
    await stage.listen(server);
  },
  'close() before listening': async (stage) => {
    const server = stage.server();
    server.listen(stage.freshAddress());
    server.close(stage.callback(server, 'close callback'));
    await told(server, 'close');
  },
  'close() of a server that does not listen': async (stage) => {
    const server = stage.server();
    stage.try(server, 'close', () => server.close(stage.callback(server, 'close callback')));
    await told(server, 'close');
  },
  'close() twice': async (stage) => {
    const server = stage.server();
    await stage.listen(server);
    server.close(stage.callback(server, 'first'));
    server.close(stage.callback(server, 'second'));
    await told(server, 'close');
  },
  'close() with a live connection': async (stage) => {
    const { client, peer, server } = await stage.pair();
    client.resume();
    stage.within('close', () => server.close(stage.callback(server, 'close callback')));
    await nextTurn();
    stage.note(server, 'waiting');
    peer.end();
    peer.resume();
    await told(server, 'close');
  },
  'a signal aborted before listen()': async (stage) => {
    const server = stage.server();
    stage.try(server, 'listen', () => server.listen({ ...stage.freshAddress(), signal: AbortSignal.abort() }));
    await told(server, 'close');
  },
  'a signal aborted while listening': async (stage) => {
    const controller = new AbortController();
    const server = stage.server();
    await stage.listen(server, { signal: controller.signal });
    stage.within('abort', () => {
      controller.abort();
    });
    await told(server, 'close');
  },
  'asynchronous disposal': async (stage) => {
    const server = stage.server();
    await stage.listen(server);
    const disposable = server as unknown as AsyncDisposable;
    await disposable[Symbol.asyncDispose]().then(stage.callback(server, 'disposed'));
    await disposable[Symbol.asyncDispose]().then(stage.callback(server, 'again'), stage.callback(server, 'refused'));
  },
  'getConnections()': async (stage) => {
    const { client, server } = await stage.pair();
    stage.within('asking', () => {
      stage.try(server, 'getConnections', () => server.getConnections(stage.callback(server, 'with one')));
    });
    await nextTurn();
    client.destroy();
    await closed(client);
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    await new Promise<void>((resolve) => {
      server.getConnections(
        stage.callback(server, 'counted', () => {
          resolve();
        }),
      );
    });
  },
  maxConnections: async (stage) => {
    const server = stage.server();
    server.maxConnections = 1;
    const address = await stage.listen(server);
    const first = stage.connect(address, 'first');
    await Promise.all([told(server, 'connection'), once(first, 'connect')]);
    const second = stage.connect(address, 'second');
    await closed(second);
    server.maxConnections = 2;
    const third = stage.connect(address, 'third');
    await Promise.all([told(server, 'connection'), once(third, 'connect')]);
    await nextTurn();
    first.end();
    third.end();
  },
  pauseOnConnect: async (stage) => {
    const { client, peer } = await stage.pair({ server: { pauseOnConnect: true } });
    client.end('x');
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    stage.note(peer, 'still paused');
    peer.resume();
    client.resume();
  },
  'destroy() inside connection': async (stage) => {
    const server = stage.server();
    server.on('connection', (peer: Socket) => peer.destroy());
    const client = stage.connect(await stage.listen(server));
    client.resume();
    await closed(client);
  },
  'close() inside connection': async (stage) => {
    const server = stage.server();
    server.on('connection', (peer: Socket) => {
      server.close(stage.callback(server, 'close callback'));
      peer.end();
      peer.resume();
    });
    const client = stage.connect(await stage.listen(server));
    client.resume();
    await told(server, 'close');
  },
  'ref() and unref()': async (stage) => {
    const server = stage.server();
    stage.try(server, 'unref', () => server.unref());
    await stage.listen(server);
    stage.try(server, 'ref', () => server.ref());
    stage.try(server, 'address', () => typeof server.address());
  },
};

const listens: Record<string, (server: Server, stage: Stage) => unknown> = {
  'a missing directory': (server, stage) => server.listen(join(stage.directory, 'none', 'a.sock')),
  'a directory': (server, stage) => server.listen(stage.directory),
  'a file': (server, stage) => {
    writeFileSync(join(stage.directory, 'file'), '');
    server.listen(join(stage.directory, 'file'));
  },
  'an address that is not ours': (server) => server.listen(0, '192.0.2.1'),
};

/** An agent whose connection has its first exchanges behind it if connections are kept. */
async function agentFor(
  stage: Stage,
  target: http.RequestOptions,
  createConnection?: () => Socket,
): Promise<http.Agent> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  cleanup(() => {
    agent.destroy();
  });
  if (createConnection !== undefined) agent.createConnection = createConnection;
  const connect = (): Promise<void> => Promise.resolve();
  await stage.connected(connect, async () => {
    for (let round = 0; round < 2; round++) await fetched(http.get({ ...target, agent, path: '/before' }));
  });
  return agent;
}

/** Answers the requests of before. */
function behind(answer: http.RequestListener): http.RequestListener {
  return (request, response) => {
    if (request.url === '/before') response.end('before');
    else answer(request, response);
  };
}

/** One exchange by node:http with a watched server, whose sockets and the client's are watched too. */
function exchange(
  answer: http.RequestListener,
  ask: (stage: Stage, options: http.RequestOptions) => Promise<void>,
  watchesClient = true,
): Scenario {
  return async (stage) => {
    stage.leaveOut('timeout', 'bytesRead', 'bytesWritten', 'readableFlowing', 'writableCorked');
    // The parser takes the bytes of a node socket from under it.
    stage.ignore('data');
    const server = stage.addServer(stage.subject.http.createServer({}, behind(answer)));
    const { path, host, port } = await stage.listen(server);
    const address = path === undefined ? { host, port } : { path };
    const ends: Promise<void>[] = [];
    let clients = 0;
    const agent = await agentFor(stage, {}, () => {
      const name = `client ${String(clients++)}`;
      if (watchesClient) return stage.connect(address, name);
      const client = stage.subject.connect(address);
      client.on('error', stage.callback(name, 'error'));
      ends.push(
        closed(client).then(() => {
          stage.note(name, 'read, errored', [client.bytesRead, client.errored]);
        }),
      );
      return client;
    });
    await ask(stage, { agent });
    agent.destroy();
    server.closeAllConnections();
    await Promise.all(ends);
  };
}

async function fetched(request: http.ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return text;
}

const exchanges: Record<string, Scenario> = {
  'an exchange, and the end': exchange(
    (_, response) => response.end('hello'),
    async (stage, options) => {
      stage.note('answers', 'text', await fetched(http.get({ ...options, headers: { connection: 'close' } })));
    },
    // Whether the server's end comes with its answer or behind it, and so whether the client ends before it is closed, is up
    // to when the server closes: of the client there is only told what it came to.
    false,
  ),
  'two exchanges by one connection': exchange(
    (_, response) => response.end('hello'),
    async (stage, options) => {
      for (let i = 0; i < 2; i++) stage.note('answers', 'text', await fetched(http.get(options)));
    },
  ),
  'a body that is echoed': exchange(
    (request, response) => {
      request.pipe(response);
    },
    async (stage, options) => {
      const request = http.request({ ...options, method: 'POST' });
      request.end('to and fro');
      stage.note('answers', 'text', await fetched(request));
    },
  ),
};

function unexpected(): never {
  throw new Error('not an ordinary request');
}

const outcomes: Record<string, Scenario> = {
  'an upgrade': async (stage) => {
    const server = stage.subject.http.createServer({}, behind(unexpected));
    server.on('upgrade', (_request, socket: Socket, head: Buffer) => {
      // From node 24 on the parser, which a native socket does not share, brings listen()'s context here.
      stage.within('upgrade', () => {
        stage.note('server', 'head', head.toString());
      });
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    const address = await stage.listen(server);
    const agent = await agentFor(stage, target(address));
    const request = http.get({ ...target(address), agent, headers: { connection: 'Upgrade', upgrade: 'echo' } });
    const [response, socket] = (await once(request, 'upgrade')) as [http.IncomingMessage, Socket];
    stage.note('client', 'status', response.statusCode);
    socket.write('there and back');
    stage.note('client', 'echo', String((await once(socket, 'data'))[0]));
    socket.end();
    await closed(socket);
    server.close();
  },
  CONNECT: async (stage) => {
    const server = stage.subject.http.createServer({}, behind(unexpected));
    server.on('connect', (request: http.IncomingMessage, socket: Socket, head: Buffer) => {
      stage.within('connect', () => {
        stage.note('server', 'target', [request.url, head.length]);
      });
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      socket.pipe(socket);
    });
    const address = await stage.listen(server);
    const agent = await agentFor(stage, target(address));
    const request = http.request({ ...target(address), agent, method: 'CONNECT', path: 'elsewhere:80' });
    request.end();
    const [response, socket] = (await once(request, 'connect')) as [http.IncomingMessage, Socket];
    stage.note('client', 'status', response.statusCode);
    socket.write('through');
    stage.note('client', 'echo', String((await once(socket, 'data'))[0]));
    socket.end();
    await closed(socket);
    server.close();
  },
  'closeIdleConnections() and closeAllConnections()': async (stage) => {
    let held: http.ServerResponse | undefined;
    const server = stage.subject.http.createServer({}, (request, response) => {
      if (request.url === '/held') held = response;
      else response.end('quick');
    });
    const address = await stage.listen(server);
    const agent = new http.Agent({ keepAlive: true });
    stage.note('client', 'quick', await fetched(http.get({ ...target(address), agent })));
    const request = http.get({ ...target(address), path: '/held' });
    const failed = new Promise<Error>((resolve) => request.once('error', resolve));
    while (held === undefined) await nextTurn();
    server.closeIdleConnections();
    stage.note('server', 'after idle', held.destroyed);
    server.closeAllConnections();
    stage.note('client', 'failed', await failed);
    server.close();
    await told(server, 'close');
    agent.destroy();
  },
};

function target({ path, host, port }: { path?: string; host?: string; port?: number }): http.RequestOptions {
  return path === undefined ? { host, port } : { socketPath: path };
}

describe.each(everyWay)('servers: $name over $family', ({ subject, family }) => {
  it.each([...Object.entries(scenarios), ...Object.entries(exchanges), ...Object.entries(outcomes)])(
    '%s',
    async (_, scenario) => {
      await compare(scenario, subject, family);
    },
  );
});

describe.each(subjects)('failing to listen: $name', (subject) => {
  it.each(Object.entries(listens))('%s', async (_, listen) => {
    await compare(
      async (stage) => {
        const server = stage.server();
        server.on('error', () => undefined);
        listen(server, stage);
        await told(server, 'error');
        stage.try(server, 'close', () => server.close(stage.callback(server, 'close callback')));
      },
      subject,
      'unix',
    );
  });
});
