/** One end of a connection: it acts, and checks all that it is told. */
import type { Channel, ChannelHandlers } from 'nearwire/channel';
import { Journal, Source } from './content.js';
import { nameOf, type Behaviour, type HandlerName, type Write } from './program.js';
import { COPIED, lendable, USED_AGAIN, writeForm, type Attempt } from './writing.js';
import type { World } from './world.js';

type PauseReason = 'step' | 'slow' | 'silent' | 'room';

export class End {
  readonly name: string;
  readonly incoming = new Journal();
  /** What stands in the place of `socket.write()` for forms that use one Buffer again and again. */
  readonly repeated = Buffer.alloc(70_000);
  readonly source: Source;
  readonly lent: Buffer[] = [];
  peer!: End;
  channel!: Channel;
  isConnected = false;
  isDestroyed = false;
  isClosed = false;
  hasEnded = false;
  hasPeerEnded = false;
  errors = 0;
  filesBegun = 0;
  filesSettled = 0;
  corks = 0;
  private written = 0;
  private drainOwed = false;
  private mayRead = Infinity;
  private answered = 0;
  private ownError: Error | undefined;
  private finalCounters = '';
  private readonly pauses = new Set<PauseReason>();
  /** Ends that read no more until this one has drained. */
  private readonly waiting = new Set<End>();
  private readonly behaviour: Behaviour;

  constructor(
    readonly world: World,
    private readonly ends: readonly End[],
    readonly number: number,
  ) {
    this.name = nameOf(number);
    this.source = new Source(number + 1);
    this.behaviour = world.program.behaviours[number] as Behaviour;
  }

  handlers(): ChannelHandlers {
    const { atEnd } = this.behaviour;
    return {
      onConnect: () => {
        this.onConnect();
      },
      onData: (_, data, start, end) => {
        this.handle('onData', `${String(end - start)} bytes`, () => {
          this.onData(data, start, end);
        });
      },
      onDrain: () => {
        this.handle('onDrain', '', () => {
          this.onDrain();
        });
      },
      onError: (_, error) => {
        this.handle('onError', error.message, () => {
          this.onError(error);
        });
      },
      onClose: (_, hadError) => {
        this.handle('onClose', String(hadError), () => {
          this.onClose(hadError);
        });
      },
      ...(atEnd === 'no handler' ? {} : { onEnd: this.onEnd }),
    };
  }

  /** For an accepted end: `onConnection`. */
  onConnect(): void {
    this.isConnected = true;
    this.handle('onConnect', '', () => {
      if (this.behaviour.reader === 'silent' && !this.world.finishing) this.pause('silent');
      this.world.changed();
    });
  }

  private handle(name: HandlerName, detail: string, body: () => void): void {
    const { world, behaviour } = this;
    world.note(`${this.name}: ${name} ${detail}`);
    const mayCome = this.isDestroyed ? name === 'onError' || name === 'onClose' : true;
    if (!mayCome || this.isClosed) world.fail(`${this.name}: ${name} after ${this.isClosed ? 'onClose' : 'destroy()'}`);
    if (!this.isConnected && name !== 'onError' && name !== 'onClose')
      world.fail(`${this.name}: ${name} before onConnect`);
    body();
    if (behaviour.destroysIn === name) this.destroy();
    if (behaviour.throwsIn !== name) return;
    const message = `${this.name} ${name} ${String(world.thrown.length)}`;
    world.thrown.push(message);
    throw new Error(message);
  }

  // --- what it is told ---

  private onData(data: Buffer, start: number, end: number): void {
    const { world, incoming, behaviour } = this;
    if (this.hasPeerEnded) world.fail(`${this.name}: onData after onEnd`);
    const taken = incoming.take(data.subarray(start, end));
    if (typeof taken === 'string') {
      world.fail(`${this.name}: ${taken}`);
      return;
    }
    if (incoming.read > this.mayRead) world.fail(`${this.name}: reads on after pause()`);
    if (behaviour.reader === 'slow') this.rest();
    this.relay(data, start, end, taken);
    const answer = behaviour.answers[this.answered++];
    if (answer === undefined) return;
    const by = this.ends[answer.end] as End;
    // The others may still be connecting.
    if (by.isConnected) by.write(answer.write);
  }

  /** Reads on in the next turn. */
  private rest(): void {
    this.pause('slow');
    setImmediate(() => {
      this.resume('slow');
    });
  }

  private readonly onEnd = (): void => {
    this.handle('onEnd', '', () => {
      if (this.hasPeerEnded) this.world.fail(`${this.name}: onEnd twice`);
      this.hasPeerEnded = true;
      if (this.behaviour.atEnd === 'ends') this.end();
      this.world.changed();
    });
  };

  private onDrain(): void {
    this.checkHandedOver('onDrain');
    const { bufferedAmount } = this.channel;
    if (bufferedAmount !== 0) this.world.fail(`${this.name}: onDrain with ${String(bufferedAmount)} bytes queued`);
    if (!this.world.isNative) {
      // A promise tells of it behind what is told now.
      const { filesBegun } = this;
      queueMicrotask(() => {
        if (this.filesSettled < filesBegun) this.world.fail(`${this.name}: onDrain before a file is through`);
      });
    }
    this.drainOwed = false;
    for (const bytes of this.lent.splice(0)) bytes.fill(USED_AGAIN);
    this.letOthersRead();
  }

  private onError(error: Error): void {
    this.errors++;
    const { peer } = this;
    const isPeerGone = peer.isDestroyed || peer.errors > 0;
    if (this.errors > 1) this.world.fail(`${this.name}: onError twice`);
    if (this.isDestroyed ? error !== this.ownError : !isPeerGone) {
      this.world.fail(`${this.name}: onError without a reason: ${error.message}`);
    }
  }

  private onClose(hadError: boolean): void {
    const { world } = this;
    if (hadError !== this.errors > 0) world.fail(`${this.name}: onClose says ${String(hadError)}`);
    if (!hadError && !this.isDestroyed) this.checkGoodEnd();
    this.isClosed = true;
    this.finalCounters = JSON.stringify(this.channel.counters);
    this.checkDown();
    for (const bytes of this.lent.splice(0)) bytes.fill(USED_AGAIN);
    this.letOthersRead();
    world.open--;
    world.changed();
  }

  /** Both ends have ended, and nothing has been lost without a word. */
  private checkGoodEnd(): void {
    const { world, behaviour } = this;
    const endsByItself = behaviour.atEnd === 'no handler';
    if (!endsByItself && !(this.hasEnded && this.hasPeerEnded)) world.fail(`${this.name}: closes by itself`);
    if (this.drainOwed) world.fail(`${this.name}: onDrain has never come`);
    this.checkHandedOver('a close without an error');
  }

  private checkHandedOver(when: string): void {
    // node counts what it still holds.
    if (!this.world.isNative) return;
    const { bytesWritten } = this.channel.counters;
    if (bytesWritten === this.written) return;
    this.world.fail(`${this.name}: ${when}, but ${String(bytesWritten)} of ${String(this.written)} are handed over`);
  }

  /** When all is over. */
  checkAfterwards(): void {
    const { world } = this;
    const isWhole = [this, this.peer].every((end) => !end.isDestroyed && end.errors === 0);
    if (isWhole && !this.incoming.isEmpty) world.fail(`${this.name}: the last bytes have never come`);
    const missing = this.filesBegun - this.filesSettled;
    if (missing !== 0) world.fail(`${this.name}: ${String(missing)} files have not settled`);
    const now = JSON.stringify(this.channel.counters);
    if (now !== this.finalCounters) world.fail(`${this.name}: counted after onClose: ${this.finalCounters}, ${now}`);
  }

  // --- what it does ---

  /** Its peer's end would not be told. */
  get isSilent(): boolean {
    return this.behaviour.atEnd === 'no handler';
  }

  /** True if no more can be written. */
  get isDown(): boolean {
    return this.isClosed || this.isDestroyed || this.hasEnded;
  }

  write(write: Write): void {
    this.world.note(`${this.name} writes ${write.form} ${String(write.length)}`);
    if (this.isDown) this.checkDown();
    else writeForm(this, write);
  }

  private checkDown(): void {
    try {
      if (this.channel.write('late')) this.world.fail(`${this.name}: writes after its end`);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const mayThrow = this.hasEnded || this.behaviour.atEnd === 'no handler';
      if (!mayThrow || code !== 'ERR_STREAM_WRITE_AFTER_END') throw error;
    }
  }

  /** Makes a write and notes what must arrive. False: it is not to be waited for, nor used again before it drains. */
  attempt({ expected, memory, call }: Attempt): boolean {
    let room: boolean;
    try {
      room = call();
    } catch (error) {
      // It has ended by itself, with its peer.
      if (this.behaviour.atEnd !== 'no handler' || this.hasEnded) throw error;
      this.hasEnded = true;
      return true;
    }
    if (room && this.corks > 0) this.world.fail(`${this.name}: a corked write answers true`);
    let length = 0;
    for (const bytes of expected) {
      this.peer.incoming.add(bytes);
      length += bytes.length;
    }
    this.written += length;
    if (!room) this.drainOwed = true;
    else if (length > COPIED && this.isConnected) this.checkHandedOver('a long write answers true');
    if (room || length <= COPIED) for (const bytes of memory) bytes.fill(USED_AGAIN);
    else this.lent.push(...memory);
    return room;
  }

  /** Where no handler takes its peer's end it answers that with its own; a write of nothing finds out. */
  hasEndedByItself(): boolean {
    if (this.behaviour.atEnd !== 'no handler' || !this.isConnected) return false;
    this.attempt({ expected: [], memory: [], call: () => this.channel.write('') });
    return this.hasEnded;
  }

  /** Notes what a file is to bring; the channel does not answer. */
  expectFile(bytes: Buffer): void {
    this.peer.incoming.add(bytes);
    this.written += bytes.length;
  }

  private relay(data: Buffer, start: number, end: number, taken: readonly Buffer[]): void {
    const { relayTo, relayBy, heedsRoom } = this.behaviour;
    for (const number of relayTo) {
      const target = this.ends[number] as End;
      for (const attempt of lendable(data, start, end, taken, relayBy, () => target.channel)) {
        const room = target.isDown || !target.isConnected || target.attempt(attempt);
        if (room || !heedsRoom) continue;
        target.waiting.add(this);
        this.pause('room');
      }
    }
    if (relayTo.length > 0) data.fill(USED_AGAIN, start, end);
  }

  private letOthersRead(): void {
    for (const end of this.waiting) end.resume('room');
    this.waiting.clear();
  }

  pause(reason: PauseReason): void {
    this.pauses.add(reason);
    if (this.isClosed) return;
    this.channel.pause();
    const { isNative } = this.world;
    // What has been read by now may still come.
    this.mayRead = Math.min(this.mayRead, isNative ? this.channel.counters.bytesRead : this.incoming.read);
  }

  resume(reason: PauseReason): void {
    this.pauses.delete(reason);
    if (this.pauses.size > 0 || this.isClosed) return;
    this.mayRead = Infinity;
    this.channel.resume();
  }

  cork(): void {
    this.corks++;
    this.channel.cork();
  }

  uncork(): void {
    this.corks = Math.max(0, this.corks - 1);
    this.channel.uncork();
  }

  /** Reads all that there is. */
  readOn(): void {
    this.resume('step');
    this.resume('silent');
  }

  end(): void {
    if (!this.isDestroyed && !this.isClosed) this.hasEnded = true;
    this.channel.end();
  }

  destroy(error?: Error): void {
    if (!this.isDestroyed && !this.isClosed) {
      this.isDestroyed = true;
      this.ownError = error;
    }
    this.channel.destroy(error);
  }
}
