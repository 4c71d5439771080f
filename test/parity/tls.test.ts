/** TLS over sockets of each transport, in both directions: what comes of it is what comes of node:net's sockets. */
import { once } from 'node:events';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import type { Server, Socket } from 'node:net';
import * as tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { install } from 'nearwire';
import { authority, clientCertificate, clientKey, serverCertificate, serverKey } from '../support/certificates.js';
import { cleanup, closed, listen, pair, pattern, readAll, readBytes } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';

install();

const SERVER = { cert: serverCertificate, key: serverKey, ca: authority };
const CLIENT = { ca: authority, servername: 'localhost' };

/** More than all buffers on the way hold. */
const MUCH = 6_000_000;

interface Secured {
  client: tls.TLSSocket;
  peer: tls.TLSSocket;
  raw: { client: Socket; peer: Socket };
}

/** A TLS session over a pair of the subject's sockets. */
async function secured(
  subject: Subject,
  family: Family,
  options: { server?: tls.TlsOptions; client?: tls.ConnectionOptions; halfOpen?: boolean } = {},
): Promise<Secured> {
  const halfOpen = options.halfOpen ?? false;
  const ends = await pair(subject, family, {
    server: { allowHalfOpen: halfOpen },
    client: { allowHalfOpen: halfOpen },
  });
  const server = tls.createServer({ ...SERVER, ...options.server, allowHalfOpen: halfOpen } as tls.TlsOptions);
  const accepted = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>;
  server.emit('connection', ends.peer);
  const client = tls.connect({
    ...CLIENT,
    ...options.client,
    socket: ends.client,
    allowHalfOpen: halfOpen,
  } as tls.ConnectionOptions);
  cleanup(() => client.destroy());
  const [[peer]] = await Promise.all([accepted, once(client, 'secureConnect')]);
  cleanup(() => peer.destroy());
  return { client, peer, raw: { client: ends.client, peer: ends.peer } };
}

/** The ends of a socket's life, in order. */
function lifeOf(socket: Socket, name: string, into: string[]): void {
  for (const event of ['end', 'finish', 'close'] as const) {
    socket.on(event, () => {
      into.push(`${name} ${event}`);
    });
  }
  socket.on('error', (error: NodeJS.ErrnoException) => {
    into.push(`${name} ${String(error.code)}`);
  });
}

type Outcome = (subject: Subject, family: Family) => Promise<unknown>;

const outcomes: Record<string, Outcome> = {
  'carries data both ways': async (subject, family) => {
    const { client, peer } = await secured(subject, family);
    client.write('question');
    const question = (await readBytes(peer, 8)).toString();
    peer.write('answer');
    const answer = (await readBytes(client, 6)).toString();
    return {
      question,
      answer,
      authorized: client.authorized,
      protocol: client.getProtocol(),
      encrypted: peer.encrypted,
    };
  },
  'carries much both ways at once': async (subject, family) => {
    const { client, peer } = await secured(subject, family);
    const [up, down] = [pattern(MUCH, 1), pattern(MUCH, 2)];
    const received = Promise.all([readBytes(peer, MUCH), readBytes(client, MUCH)]);
    client.write(up);
    peer.write(down);
    const [gotUp, gotDown] = await received;
    return { up: gotUp.equals(up), down: gotDown.equals(down) };
  },
  'large writes to a slow reader, then the end': async (subject, family) => {
    const { client, peer } = await secured(subject, family);
    const sent = pattern(MUCH, 3);
    peer.pause();
    const written = new Promise<void>((resolve) =>
      client.write(sent, () => {
        resolve();
      }),
    );
    client.end();
    setImmediate(() => peer.resume());
    const received = await readAll(peer);
    await written;
    return { whole: received.equals(sent) };
  },
  'ends in order': async (subject, family) => {
    const { client, peer, raw } = await secured(subject, family);
    const ofClient: string[] = [];
    const ofPeer: string[] = [];
    lifeOf(client, 'client', ofClient);
    lifeOf(peer, 'peer', ofPeer);
    const over = Promise.all([closed(client), closed(peer), closed(raw.client), closed(raw.peer)]);
    peer.resume();
    client.resume();
    client.end('last');
    await over;
    return { ofClient, ofPeer, destroyed: [raw.client.destroyed, raw.peer.destroyed] };
  },
  'a half-open session': async (subject, family) => {
    const { client, peer } = await secured(subject, family, { halfOpen: true });
    client.end('question');
    const question = (await readAll(peer)).toString();
    const answer = readAll(client);
    peer.end(Buffer.alloc(100_000, 'x'));
    return { question, answer: (await answer).length };
  },
  'a destroyed session': async (subject, family) => {
    const { client, peer, raw } = await secured(subject, family);
    const told: string[] = [];
    client.on('close', () => told.push('client close'));
    const over = Promise.all([closed(client), closed(peer), closed(raw.client), closed(raw.peer)]);
    peer.resume();
    peer.on('error', () => undefined);
    client.destroy();
    await over;
    return { told, destroyed: [raw.client.destroyed, raw.peer.destroyed] };
  },
  'a destroyed socket underneath': async (subject, family) => {
    const { client, peer, raw } = await secured(subject, family);
    const over = Promise.all([closed(client), closed(peer)]);
    for (const socket of [client, peer]) socket.on('error', () => undefined).resume();
    raw.client.destroy();
    await over;
    return { destroyed: [client.destroyed, peer.destroyed] };
  },
  'a certificate that is not trusted': async (subject, family) => {
    const { client, peer } = await pair(subject, family);
    const server = tls.createServer(SERVER);
    server.emit('connection', peer);
    server.on('tlsClientError', () => undefined);
    const session = tls.connect({ socket: client, servername: 'localhost' });
    const code = await new Promise((resolve) => {
      session.once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code);
      });
    });
    await closed(session);
    return { code, authorized: session.authorized };
  },
  'a peer that speaks no TLS': async (subject, family) => {
    const { client, peer } = await pair(subject, family);
    const server = tls.createServer(SERVER);
    const failed = once(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException]>;
    server.emit('connection', peer);
    client.on('error', () => undefined);
    client.resume();
    client.write('GET / HTTP/1.1\r\n\r\n');
    const [error] = await failed;
    client.destroy();
    return { code: error.code };
  },
  'ALPN and server names': async (subject, family) => {
    const asked: string[] = [];
    const { client, peer } = await secured(subject, family, {
      server: {
        ALPNProtocols: ['b', 'a'],
        SNICallback: (name, done) => {
          asked.push(name);
          done(null, tls.createSecureContext(SERVER));
        },
      },
      client: { ALPNProtocols: ['a', 'b'] },
    });
    return {
      asked,
      client: client.alpnProtocol,
      peer: peer.alpnProtocol,
      name: (peer as { servername?: unknown }).servername,
    };
  },
  'client certificates': async (subject, family) => {
    const { peer } = await secured(subject, family, {
      server: { requestCert: true, rejectUnauthorized: true },
      client: { cert: clientCertificate, key: clientKey },
    });
    return { authorized: peer.authorized, name: peer.getPeerCertificate().subject.CN };
  },
  'a session used again': async (subject, family) => {
    const sessions: Buffer[] = [];
    const server = tls.createServer(SERVER, (socket) => socket.end('x'));
    const talk = async (session?: Buffer): Promise<boolean> => {
      const { client, peer } = await pair(subject, family);
      server.emit('connection', peer);
      const secure = tls.connect({ ...CLIENT, socket: client, session });
      secure.on('session', (next: Buffer) => sessions.push(next));
      await readAll(secure);
      return secure.isSessionReused();
    };
    return [await talk(), await talk(sessions[0])];
  },
  'new TLSSocket() at both ends': async (subject, family) => {
    const ends = await pair(subject, family);
    const peer = new tls.TLSSocket(ends.peer, { isServer: true, secureContext: tls.createSecureContext(SERVER) });
    const client = new tls.TLSSocket(ends.client, { secureContext: tls.createSecureContext({ ca: authority }) });
    cleanup(() => {
      client.destroy();
      peer.destroy();
    });
    client.write('over it');
    return (await readBytes(peer, 7)).toString();
  },
  'an upgrade after plain words, as STARTTLS does': async (subject, family) => {
    const ends = await pair(subject, family);
    ends.client.write('STARTTLS\n');
    const command = (await readBytes(ends.peer, 9)).toString();
    ends.peer.write('GO\n');
    const reply = (await readBytes(ends.client, 3)).toString();
    const server = tls.createServer(SERVER, (socket) => socket.pipe(socket));
    server.emit('connection', ends.peer);
    const client = tls.connect({ ...CLIENT, socket: ends.client });
    cleanup(() => client.destroy());
    client.write('secret');
    const echo = (await readBytes(client, 6)).toString();
    return { command, reply, echo };
  },
  'an upgrade of what has come already': async (subject, family) => {
    const ends = await pair(subject, family);
    // The first record of the client waits in the peer's stream when TLS takes over.
    const client = tls.connect({ ...CLIENT, socket: ends.client });
    await once(ends.peer, 'readable');
    const server = tls.createServer(SERVER, (socket) => socket.pipe(socket));
    server.emit('connection', ends.peer);
    client.write('early');
    cleanup(() => client.destroy());
    return (await readBytes(client, 5)).toString();
  },
  'over a socket that is still connecting': async (subject, family) => {
    const server: Server = subject.createServer();
    const address = await listen(server, family);
    const secure = tls.createServer(SERVER, (socket) => socket.end('hello'));
    server.on('connection', (socket: Socket) => secure.emit('connection', socket));
    const client = tls.connect({ ...CLIENT, socket: subject.connect(address) });
    return (await readAll(client)).toString();
  },
  'https, both ends': async (subject, family) => {
    const server = subject.createServer();
    const address = await listen(server, family);
    const app = https.createServer(SERVER, (request, response) => {
      request.pipe(response);
    });
    server.on('connection', (socket: Socket) => app.emit('connection', socket));
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => {
      agent.destroy();
    });
    // node hands what this answers to the request, as the types don't say.
    agent.createConnection = () => tls.connect({ ...CLIENT, socket: subject.connect(address) });
    const bodies: boolean[] = [];
    for (const size of [0, 1, 20_000, 1_000_000]) {
      const body = pattern(size, size + 1);
      const request = https.request({ agent, method: 'POST', host: 'localhost' });
      request.end(body);
      const [response] = (await once(request, 'response')) as [Socket];
      bodies.push((await readAll(response)).equals(body));
    }
    return bodies;
  },
  'http2 over TLS': async (subject, family) => {
    const server = subject.createServer();
    const address = await listen(server, family);
    const app = http2.createSecureServer(SERVER, (request, response) => {
      request.pipe(response);
    });
    server.on('connection', (socket: Socket) => app.emit('connection', socket));
    const socket = tls.connect({ ...CLIENT, ALPNProtocols: ['h2'], socket: subject.connect(address) });
    const session = http2.connect('https://localhost', { createConnection: () => socket });
    cleanup(() => {
      session.destroy();
    });
    return exchange(session);
  },
  'http2 in the clear': async (subject, family) => {
    const server = subject.createServer();
    const address = await listen(server, family);
    const app = http2.createServer((request, response) => {
      request.pipe(response);
    });
    server.on('connection', (socket: Socket) => app.emit('connection', socket));
    const session = http2.connect('http://localhost', { createConnection: () => subject.connect(address) });
    cleanup(() => {
      session.destroy();
    });
    return exchange(session);
  },
};

/** Ten streams at once, each with a body of its own, which comes back. */
function exchange(session: http2.ClientHttp2Session): Promise<boolean[]> {
  return Promise.all(
    Array.from({ length: 10 }, async (_, i) => {
      const body = pattern(i * 50_000, i + 1);
      const stream = session.request({ ':method': 'POST', ':path': '/' });
      stream.end(body);
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).equals(body);
    }),
  );
}

describe.each(everyWay)('TLS: $name over $family', ({ subject, family }) => {
  it.each(Object.entries(outcomes))('%s', async (_, outcome) => {
    expect(await outcome(subject, family)).toEqual(await outcome(reference, family));
  });
});
