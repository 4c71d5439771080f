/** The processes of a cell: which program runs which subject, on which core, with which arguments. */
import { fileURLToPath } from 'node:url';

import type { BenchCase, Params } from './model.js';
import { Peer, PeerError, type Message, type Program } from './peer.js';
import { onCore } from './placement.js';
import type { Subject } from './subjects.js';

export type Role = 'serve' | 'load';

export interface ProcessContext {
  readonly floor: string | undefined;
  /** First the server's core, or that of both ends if they alternate; then the client's. As many as there are. */
  readonly cores: readonly number[];
  readonly signal: AbortSignal;
}

/** One end of a case in its own process. */
export function peerOf(
  role: Role,
  by: Subject,
  words: readonly string[],
  label: string,
  { sharesCore }: BenchCase,
  { floor, cores, signal }: ProcessContext,
): Peer {
  const [first, second] = cores;
  const core = role === 'load' && !sharesCore ? (second ?? first) : first;
  const { name, program: kind, words: own = {}, worker = name } = by;
  const subjectWords = kind === 'floor' ? commandWords(own) : ['--subject', worker, ...commandWords(own)];
  return new Peer(
    label,
    onCore(programOf(by, floor), core),
    [role, ...words, ...(role === 'serve' || kind === 'worker' ? subjectWords : [])],
    signal,
  );
}

/** The first message of a process that is ready. If it does not arrive, the process is stopped. */
export async function firstWord(peer: Peer, key: string, milliseconds: number): Promise<Message> {
  try {
    return await peer.expect(key, milliseconds);
  } catch (error) {
    await peer.stop();
    throw error;
  }
}

function programOf({ program, node }: Subject, floor: string | undefined): Program {
  if (program !== 'floor') return workerProgram('worker.js', node?.program);
  if (floor === undefined) throw new PeerError('the plain C program is not built');
  return { command: floor, args: [] };
}

export function workerProgram(file: string, node = process.execPath): Program {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return { command: node, args: ['--expose-gc', path] };
}

/** Parameters and similar arguments; undefined ones are omitted. */
export type CommandWords = Readonly<Record<string, Params[string] | undefined>>;

/** `{ keepAlive: true }` as `--keep-alive 1`. */
export function commandWords(words: CommandWords): string[] {
  return Object.entries(words).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const word = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return [`--${word}`, String(typeof value === 'boolean' ? Number(value) : value)];
  });
}
