/** What the ends of a program share: what has happened, what went wrong first, and when all is over. */
import type { Program } from './program.js';

/** So much of what has happened is told of a failure. */
const TOLD = 80;

/** The file that is sent: it holds the table. */
export interface ModelFile {
  path: string;
  /** The same file, by a name that is looked up in the thread pool. */
  slowPath: string;
  descriptor: number;
}

export class World {
  readonly program: Program;
  readonly file: ModelFile;
  /** Messages that handlers have thrown. */
  readonly thrown: string[] = [];
  /** All steps are done: everybody reads, and ends. */
  finishing = false;
  /** Channels that have not told of their close. */
  open = 0;
  failure: string | undefined;
  private readonly log: string[] = [];
  private wake: (() => void) | undefined;

  constructor(program: Program, file: ModelFile) {
    this.program = program;
    this.file = file;
  }

  get isNative(): boolean {
    return this.program.transport === 'native';
  }

  note(text: string): void {
    this.log.push(text);
    if (this.log.length > 2 * TOLD) this.log.splice(0, TOLD);
  }

  fail(text: string): void {
    this.failure ??= [text, 'after:', ...this.log.slice(-TOLD)].join('\n  ');
    this.changed();
  }

  /** Somebody may wait for this. */
  changed(): void {
    this.wake?.();
  }

  /** Resolves when this holds, or something has gone wrong. */
  async until(holds: () => boolean): Promise<void> {
    while (this.failure === undefined && !holds()) {
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
