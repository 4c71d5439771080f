/** A server in this process whose answers are of the size that is asked for, and readers that do not read them. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as net from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

import { createServer, type HttpServer } from '../../../src/http.js';
import { addonStatus } from '../../../src/native.js';
import { inspect } from '../../../src/tune.js';
import type { Target } from '../model.js';

/** What stands where, of an answer. */
export interface Standing {
  /** Bytes that the application keeps: all of a body of which the kernel does not have the end yet. */
  readonly waiting: number;
  /** Bytes in the kernel that the reader has not read (UNIX) or not acknowledged (TCP). Undefined without the addon. */
  readonly unsent: number | undefined;
  /** What they are charged with, and the limit. */
  readonly sendMemory: number | undefined;
  readonly sendBuffer: number | undefined;
}

/**
 * Looks, a millisecond apart, that must be the same for a socket to have come to rest. Over TCP an acknowledgement may
 * take 40 ms (TCP_DELACK_MIN) and make room.
 */
const QUIET_LOOKS = { unix: 5, tcp: 60 };
const LOOK_MS = 1;

/** How a slow reader reads: what one read takes of a stream, then a rest. */
const REST_MS = 5;

export class Answering {
  private constructor(
    private readonly server: HttpServer,
    readonly target: Target,
    private readonly family: 'unix' | 'tcp',
  ) {}

  static async open(where: Target, sendBuffer: number | undefined): Promise<Answering> {
    const server = createServer({ ...(sendBuffer !== undefined && { sendBuffer }) });
    server.keepAliveTimeout = 600_000;
    server.listen({ ...where });
    await once(server, 'listening');
    const address = server.address();
    const target = typeof address === 'object' && address ? { host: '127.0.0.1', port: address.port } : where;
    return new Answering(server, target, 'path' in where ? 'unix' : 'tcp');
  }

  /** The next request's response, answered with a body of this size. */
  async answerNext(size: number): Promise<ServerResponse> {
    const [, response] = (await once(this.server, 'request')) as [IncomingMessage, ServerResponse];
    response.writeHead(200, { 'Content-Length': size });
    response.end(Buffer.alloc(size, 'x'));
    return response;
  }

  /** Asks for an answer and reads nothing of it. */
  async unread(size: number): Promise<{ reader: net.Socket; response: ServerResponse }> {
    const answered = this.answerNext(size);
    const reader = net.connect(this.target).pause();
    reader.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    return { reader, response: await answered };
  }

  /** What stands where, of an answer that nobody reads, once nothing moves any more. */
  async standing(response: ServerResponse): Promise<Standing> {
    const { socket } = response;
    if (socket === null) return { waiting: 0, unsent: undefined, sendMemory: undefined, sendBuffer: undefined };
    let last = look(socket);
    for (let same = 0; same < QUIET_LOOKS[this.family];) {
      await after(LOOK_MS);
      const now = look(socket);
      same = now.waiting === last.waiting && now.unsent === last.unsent ? same + 1 : 0;
      last = now;
    }
    return last;
  }

  /** A reader that takes one read's worth and rests. */
  async slowly(size: number): Promise<{ held: number; waits: number | undefined }> {
    const before = this.server.stats().waits;
    const { reader, response } = await this.unread(size);
    const begin = performance.now();
    const finished = response.writableFinished ? Promise.resolve() : once(response, 'finish');
    const held = finished.then(() => performance.now() - begin);
    reader.on('data', () => {
      reader.pause();
      setTimeout(() => reader.resume(), REST_MS);
    });
    reader.resume();
    await once(reader, 'close');
    const { waits } = this.server.stats();
    return { held: await held, waits: waits === undefined ? undefined : waits - (before ?? 0) };
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

function look(socket: net.Socket): Standing {
  if (addonStatus().addon === undefined || socket.destroyed) {
    return { waiting: socket.writableLength, unsent: undefined, sendMemory: undefined, sendBuffer: undefined };
  }
  const { unsent, sendMemory, sendBuffer } = inspect(socket);
  return { waiting: socket.writableLength, unsent, sendMemory, sendBuffer };
}
