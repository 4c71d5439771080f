/** What a server saw of its connections and requests; each program has a route `/stats` that tells it. */
import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { bodyStream, StreamCheck } from './bodies.js';
import { countTransports } from './seam.js';

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
  private readonly sockets: Socket[] = [];
  private open = 0;
  private aborted = 0;
  private produced = 0;

  /** Watches all servers of this process, however a program makes them. */
  constructor() {
    subscribe('net.server.socket', (message) => {
      const { socket } = message as { socket: Socket };
      this.sockets.push(socket);
      this.open++;
      socket.on('close', () => this.open--);
    });
    subscribe('http.server.request.start', (message) => {
      const { response } = message as { response: ServerResponse };
      response.on('close', () => {
        if (!response.writableFinished) this.lost();
      });
    });
  }

  /** A client went away in the middle. */
  lost(): void {
    this.aborted++;
  }

  stats(): Stats {
    const { open, aborted, produced } = this;
    // A socket gets its label after the channel has told of it: it is asked now.
    return { connections: countTransports(this.sockets), open, aborted, produced };
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
