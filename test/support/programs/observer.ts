/** What a server saw of its connections and requests; each program has a route `/stats` that tells it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { bodyStream, StreamCheck } from './bodies.js';
import { transportOf } from './seam.js';

export interface Stats {
  /** Connections accepted, by their transport. */
  readonly connections: Readonly<Record<string, number>>;
  readonly open: number;
  /** Requests whose client went away before the answer was complete. */
  readonly aborted: number;
  /** Bytes that the streams of `/stream` have given since the last one began. */
  readonly produced: number;
}

export interface UploadResult {
  readonly length: number;
}

export class Observer {
  private readonly connections: Record<string, number> = {};
  private open = 0;
  private aborted = 0;
  private produced = 0;

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      const transport = transportOf(socket);
      this.connections[transport] = (this.connections[transport] ?? 0) + 1;
      this.open++;
      socket.on('close', () => this.open--);
    });
    server.on('request', (_request: IncomingMessage, response: ServerResponse) => {
      response.on('close', () => {
        if (!response.writableFinished) this.aborted++;
      });
    });
  }

  stats(): Stats {
    const { connections, open, aborted, produced } = this;
    return { connections, open, aborted, produced };
  }

  /** The body of `/stream`. */
  source(length: number): Readable {
    this.produced = 0;
    return bodyStream(length, (bytes) => (this.produced += bytes));
  }

  /** Reads what `/upload` gets, and compares it. With `slow`, a turn of the loop goes by after each chunk. */
  async check(body: AsyncIterable<Uint8Array>, slow: boolean): Promise<UploadResult> {
    const check = new StreamCheck();
    for await (const chunk of body) {
      check.add(chunk);
      if (slow) await new Promise((resolve) => setImmediate(resolve));
    }
    return { length: check.length };
  }
}
