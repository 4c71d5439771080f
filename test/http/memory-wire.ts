/**
 * Connections that exist in memory only, for comparisons of more conversations than the kernel carries in the time: a
 * server at one end, and at the other a client that sends what it is told to, and notes what it gets.
 *
 * What the event loop would do with sockets happens in rounds, one in each iteration of the loop: ends that have been sent
 * are reported, then what has come is read, then what has been closed is reported.
 */
import { Talk, type Script, type Setting } from './talk.js';

/** The client's end, and what is on its way to the server. */
export class Wire {
  readonly talk: Talk;
  private readonly coming: Buffer[] = [];
  private endIsComing = false;
  private clientEnded = false;
  private finished = false;

  constructor(
    readonly script: Script,
    setting: Setting,
  ) {
    this.talk = new Talk(script, setting);
  }

  /** Nothing is sent any more once the client has ended, or has seen the server's end. */
  send(step: number): void {
    this.talk.beginStep();
    const piece = this.script.pieces[step];
    if (piece === undefined || piece === '' || this.clientEnded) return;
    this.coming.push(Buffer.from(piece, 'latin1'));
  }

  end(): void {
    if (this.clientEnded) return;
    this.clientEnded = true;
    this.endIsComing = true;
  }

  /** For the server to read; null is the end, which comes by itself. */
  next(): Buffer | null | undefined {
    const data = this.coming.length > 1 ? Buffer.concat(this.coming.splice(0)) : this.coming.pop();
    if (data !== undefined) return data;
    if (!this.endIsComing) return undefined;
    this.endIsComing = false;
    return null;
  }

  /** The server has written. */
  receive(text: string): void {
    this.talk.note('client', this.finished ? `<after the end>${text}` : text);
  }

  /** The server has sent its end: as a socket of node's the client answers it with its own, and is closed. */
  finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.talk.note('client', '<end><close>');
    this.end();
  }

  /** The server's end is closed. */
  close(reset: boolean): void {
    this.coming.length = 0;
    this.endIsComing = false;
    if (reset && !this.finished) {
      this.talk.note('client', '<reset>');
      this.finished = true;
    }
    this.finish();
    this.endIsComing = false;
  }
}

export interface MemoryServer {
  connect(wire: Wire): void;
  /** What happens in an iteration of the event loop. Returns whether anything has. */
  round(): boolean;
  /** Destroys what is still open, and forgets all connections. */
  clear(): void;
}
