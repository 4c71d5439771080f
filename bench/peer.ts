/**
 * One process of a cell, and the communication with it: commands in, JSON lines out. No process that is started here
 * outlives its cell.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** A process that has closed all its handles exits at once; one that has not after this time is killed. */
const EXIT_MS = 3_000;
/** The part of a process's stderr that an error message should include: the beginning names the fault. */
const STDERR_LIMIT = 4_000;

export type Message = Readonly<Record<string, unknown>>;

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

export class PeerError extends Error {}

export class Peer {
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly lines: AsyncIterator<string, undefined>;
  /** How it ended, once all its output has been read. */
  private readonly ended: Promise<string>;
  private stderr = '';

  constructor(
    private readonly name: string,
    program: Program,
    words: readonly string[],
    private readonly signal: AbortSignal,
  ) {
    // In its own process group: Ctrl-C reaches only the parent, which then decides about all of them.
    this.child = spawn(program.command, [...program.args, ...words], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve) => {
      // After 'error', the arguments of 'close' are not an exit code.
      let how: string | undefined;
      this.child.on('error', ({ message }) => (how = `could not be run: ${message}`));
      this.child.on('close', (code, reason) => {
        resolve(how ?? (reason === null ? `exited with ${String(code)}` : `was ended by ${reason}`));
      });
    });
    // It may exit before it has read everything: the exit is reported elsewhere.
    this.child.stdin.on('error', () => undefined);
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(0, STDERR_LIMIT);
    });
    signal.addEventListener('abort', this.kill);
    if (signal.aborted) this.kill();
  }

  /** undefined: it could not be run. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Its stderr output, to append to a message. */
  get complaint(): string {
    return this.stderr === '' ? '' : `:\n${this.stderr.trim()}`;
  }

  say(word: string): void {
    this.child.stdin.write(`${word}\n`);
  }

  /** The next line, which must be an object with this key. */
  async expect(key: string, milliseconds: number): Promise<Message> {
    const line = await this.nextLine(key, milliseconds);
    const message = parse(line);
    if (!isMessage(message) || !(key in message)) {
      throw new PeerError(`${this.name} was to tell "${key}" and told ${line}`);
    }
    return message;
  }

  async ask(word: string, milliseconds: number): Promise<number> {
    this.say(word);
    return numberOf(await this.expect(word, milliseconds), word);
  }

  /** Stops it by closing its stdin, or by a signal if it does not react. Safe to call at any time and twice. */
  async stop(): Promise<void> {
    this.signal.removeEventListener('abort', this.kill);
    this.child.stdin.end();
    const timer = setTimeout(this.kill, EXIT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  /** Including its child processes, which share its group. */
  private readonly kill = (): void => {
    const { pid, exitCode, signalCode } = this.child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      // It has just exited.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };

  private async nextLine(key: string, milliseconds: number): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new PeerError(`${this.name} did not tell "${key}" within ${String(milliseconds)} ms`);
      timer = setTimeout(reject, milliseconds, error);
    });
    return Promise.race([this.lineOrEnd(), late]).finally(() => {
      clearTimeout(timer);
    });
  }

  private async lineOrEnd(): Promise<string> {
    const { value } = await this.lines.next();
    if (value !== undefined) return value;
    const how = await this.ended;
    this.signal.throwIfAborted();
    throw new PeerError(`${this.name} ${how}${this.complaint}`);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Shown as it is: it is not a message.
    return undefined;
  }
}

export function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function numberOf(message: Message, key: string): number {
  const value = message[key];
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new PeerError(`"${key}" is no number: ${JSON.stringify(value)}`);
  }
  return value;
}
