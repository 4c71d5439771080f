/**
 * A connection that holds back what its responses have to be over for. As node's server reads requests before it has
 * answered the ones before them, reading goes on meanwhile, so that it is seen when the client goes away; and what cannot
 * be read is refused at once.
 */
import type { BegunBehind, MessageStart } from '../message-start.js';
import { ReadingConnection } from '../reading-connection.js';
import { LookAhead } from './look-ahead.js';

export abstract class HoldingConnection extends ReadingConnection {
  /** What follows in `unread` waits until all responses are over. */
  protected isHeldBack = false;
  /** What has come is no HTTP request: nothing more is read. */
  protected isUnreadable = false;
  private ahead: LookAhead | undefined;
  /** Of what `unread` has, as far as it has been looked at. */
  private begun: BegunBehind | undefined;

  /** Reads on, or not. */
  protected abstract updateReading(): void;

  /** The peer has ended. */
  abstract tellPeerEnd(): void;

  /** It waits, and no more is to be read. */
  protected get restsHeldBack(): boolean {
    return this.isHeldBack && this.ahead === undefined;
  }

  protected override get waits(): boolean {
    return this.isHeldBack;
  }

  /** `looks`: node would read on. */
  protected holdBack(looks: boolean): void {
    this.isHeldBack = true;
    if (!looks) {
      this.updateReading();
      return;
    }
    this.ahead = new LookAhead(this.server.longestHead, this.begun);
    for (const piece of [...(this.unread ?? [])]) this.lookAt(piece);
  }

  /** undefined: the end. */
  lookAt(piece: Buffer | undefined): void {
    const { ahead } = this;
    if (ahead === undefined || this.isUnreadable || this.closed) return;
    const error = piece === undefined ? ahead.end() : ahead.read(piece);
    if (error !== undefined) this.refuseMessage(error);
    else if (piece === undefined) this.endAhead();
    else if (ahead.length >= this.server.highWaterMark) this.lookNoFurther();
  }

  refuseMessage(error: Error): void {
    this.isUnreadable = true;
    this.refuse(error);
  }

  /** What waits is late as well: node would have read it. */
  protected override takeLate(now: number, headersTimeout: number, requestTimeout: number): boolean {
    const { ahead } = this;
    return ahead === undefined
      ? super.takeLate(now, headersTimeout, requestTimeout)
      : ahead.takeLate(now, headersTimeout, requestTimeout);
  }

  private endAhead(): void {
    // Its responses are still to come; those to what is held back, too.
    if (this.server.emitter.httpAllowHalfOpen) return;
    this.peerEnded = true;
    this.socket.readable = false;
    this.tellPeerEnd();
  }

  private lookNoFurther(): void {
    this.forgetAhead();
    this.updateReading();
  }

  /** It is over, or another's. */
  protected forgetAhead(): void {
    const { ahead } = this;
    if (ahead === undefined) return;
    this.begun = ahead.begun;
    ahead.close();
    this.ahead = undefined;
  }

  /** The next message is taken. Returns when it began, if that was before. */
  protected takeStart(): MessageStart | undefined {
    const { begun } = this;
    if (begun === undefined || begun.others-- > 0) return undefined;
    this.begun = undefined;
    return begun.start;
  }

  protected override get begunBehind(): BegunBehind | undefined {
    return this.begun;
  }

  override onBytes(data: Buffer, start: number, end: number): void {
    const isAhead = this.ahead !== undefined;
    super.onBytes(data, start, end);
    if (isAhead) this.scope.runInAsyncScope(lookAt, undefined, this, this.unread?.at(-1));
  }

  override onPeerEnd(): void {
    const isAhead = this.ahead !== undefined;
    super.onPeerEnd();
    if (isAhead) this.scope.runInAsyncScope(lookAt, undefined, this, undefined);
  }

  /** All responses are over. */
  protected takeHeldBack(): void {
    this.isHeldBack = false;
    this.lookNoFurther();
    this.readOn();
  }
}

function lookAt(connection: HoldingConnection, piece: Buffer | undefined): void {
  connection.lookAt(piece);
}
