/** One request on its connection: sending, waiting, and ending. */
import { Channel } from '../channel/channel.js';
import type { ChannelHandlers } from '../channel/types.js';
import { answerTimeoutError, connectSlowError, contentLengthMismatchError, noAnswerError } from '../errors/index.js';
import { patienceOf } from '../config/options.js';
import { whenAborted } from '../config/signal.js';
import { framingOf } from './answer.js';
import { HeadReader } from './answer-head.js';
import { AnswerBody, type BodyOwner } from './answer-body.js';
import type { UwsgiResponse, Limits, RequestTarget } from './call-types.js';
import type { BodySource, PreparedBody } from './request-body.js';

export interface CallPlan {
  target: RequestTarget;
  method: string;
  /** The header of the packet and the variables. */
  packet: Buffer;
  body: PreparedBody;
  signal: AbortSignal | undefined;
  limits: Limits;
}

/** connecting -> head -> body -> over; an error leads from each of them to over. */
type State = 'connecting' | 'head' | 'body' | 'over';

export class Call implements ChannelHandlers, BodyOwner {
  private state: State = 'connecting';
  private readonly channel: Channel;
  private timer: NodeJS.Timeout | undefined;
  /** The whole request has been written to the channel. */
  private sent = false;
  /** The kernel's buffer is full: written bytes wait for the server to read. */
  private blocked = false;
  /** The body's reader has enough for now. */
  private paused = false;
  private readonly head: HeadReader;
  private body: AnswerBody | undefined;
  private room: (() => void) | undefined;
  /** The server accepts no more of the request; its response may still have arrived. */
  private refused: Error | undefined;
  private readonly releaseSignal: () => void;

  static make(plan: CallPlan): Promise<UwsgiResponse> {
    return new Promise((resolve, reject) => {
      new Call(plan, resolve, reject);
    });
  }

  private constructor(
    private readonly plan: CallPlan,
    private readonly resolve: (answer: UwsgiResponse) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    const { signal, limits } = plan;
    const { connectTimeout: backlogTimeout, ...target } = plan.target;
    this.head = new HeadReader(limits.head);
    this.channel = Channel.connect({ ...target, backlogTimeout }, this);
    if (target.path === undefined) {
      this.limitConnect(target.host ?? '127.0.0.1', target.port, patienceOf({ backlogTimeout }));
    }
    this.releaseSignal = whenAborted(signal, (error) => {
      this.fail(error);
    });
  }

  /** The system itself waits for minutes. That of a UNIX socket's queue is the channel's matter. */
  private limitConnect(host: string, port: number, patience: number): void {
    if (patience === 0) return;
    this.timer = setTimeout(() => {
      this.fail(connectSlowError(host, port, patience));
    }, patience);
  }

  onConnect(channel: Channel): void {
    if (this.state !== 'connecting') return;
    this.state = 'head';
    const { packet, body } = this.plan;
    const more = body.bytes === undefined ? channel.write(packet) : channel.writev([packet, body.bytes]);
    this.blocked = !more;
    if (body.source === undefined) this.sent = true;
    else void this.send(body.source, body.length);
    this.watch();
  }

  /** Must be checked again after each await. */
  private isOver(): boolean {
    return this.state === 'over';
  }

  private async send(source: BodySource, length: number): Promise<void> {
    let bytes = 0;
    try {
      for (;;) {
        if (this.blocked) await new Promise<void>((resolve) => (this.room = resolve));
        if (this.isOver()) return;
        const chunk = await source.next();
        if (this.isOver()) return;
        bytes += chunk?.length ?? 0;
        if (bytes > length || (chunk === undefined && bytes < length)) throw contentLengthMismatchError(bytes, length);
        if (chunk === undefined) break;
        this.blocked = !this.channel.write(chunk);
        this.watch();
      }
      this.sent = true;
      this.watch();
    } catch (error) {
      this.fail(error);
    }
  }

  onDrain(): void {
    this.blocked = false;
    this.watch();
    this.room?.();
  }

  onData(_channel: Channel, data: Buffer, start: number, end: number): void {
    if (this.state === 'head') this.takeHead(data, start, end);
    else if (this.body !== undefined && this.state === 'body') this.takeBody(this.body, data, start, end);
  }

  private takeHead(data: Buffer, start: number, end: number): void {
    try {
      const found = this.head.take(data.subarray(start, end));
      if (found === undefined) return;
      const { head, rest } = found;
      this.body = new AnswerBody(framingOf(head, this.plan.method), this);
      this.state = 'body';
      this.resolve({ ...head, body: this.body });
      this.takeBody(this.body, rest, 0, rest.length);
    } catch (error) {
      this.fail(error);
    }
  }

  private takeBody(body: AnswerBody, data: Buffer, start: number, end: number): void {
    let room: boolean;
    try {
      room = body.takeBytes(data, start, end);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (body.complete) {
      this.finish(body);
      return;
    }
    if (!room && !this.paused) {
      this.paused = true;
      this.channel.pause();
    }
    this.watch();
  }

  /** The reader of the body wants more. */
  resume(): void {
    if (!this.paused || this.state === 'over') return;
    this.paused = false;
    this.channel.resume();
    this.watch();
  }

  /** The reader of the body has destroyed it. */
  drop(): void {
    if (this.state !== 'over') this.release();
  }

  onEnd(): void {
    if (this.body === undefined) {
      this.fail(noAnswerError(this.head.length, this.refused));
      return;
    }
    const problem = this.body.closedBy();
    if (problem === undefined) this.finish(this.body);
    else this.fail(problem);
  }

  onWriteError(_channel: Channel, error: Error): void {
    this.refused = error;
    this.blocked = true;
    this.watch();
  }

  onError(_channel: Channel, error: Error): void {
    this.fail(this.state === 'head' ? noAnswerError(this.head.length, this.refused ?? error) : error);
  }

  onClose(): void {
    // After an end or an error this does nothing.
    this.fail(noAnswerError(this.head.length));
  }

  /**
   * Runs the timeout while progress depends on the server: it has the whole request, or must read before the kernel has
   * room for more. Each sign of life restarts it.
   */
  private watch(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const waits = this.sent || this.blocked;
    if (this.state === 'over' || this.paused || !waits) return;
    const stage = this.state === 'body' ? 'body' : 'headers';
    const patience = stage === 'body' ? this.plan.limits.bodyTimeout : this.plan.limits.headersTimeout;
    if (patience === 0) return;
    this.timer = setTimeout(() => {
      this.fail(answerTimeoutError(stage, patience));
    }, patience);
  }

  private finish(body: AnswerBody): void {
    this.release();
    body.push(null);
  }

  private fail(error: unknown): void {
    if (this.state === 'over') return;
    const { body } = this;
    this.release(error);
    if (body === undefined) this.reject(error);
    // The caller gets the body a few microtasks after its headers, and could not listen for errors before.
    else setImmediate(destroyBody, body, error);
  }

  /** Releases the connection, the request's body and the signal. */
  private release(error?: unknown): void {
    this.state = 'over';
    clearTimeout(this.timer);
    this.releaseSignal();
    this.plan.body.source?.giveUp(error);
    this.channel.destroy();
    this.room?.();
  }
}

function destroyBody(body: AnswerBody, error: unknown): void {
  body.destroy(error instanceof Error ? error : new Error('The request has failed', { cause: error }));
}
