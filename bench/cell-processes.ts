/** The processes of a cell: which program is which subject, where it runs, and its words. */
import { fileURLToPath } from 'node:url';

import type { BenchCase, Params } from './model.js';
import { Peer, PeerError, type Program } from './peer.js';
import { onCore } from './placement.js';
import type { Subject } from './subjects.js';

export type Role = 'serve' | 'load';

export interface ProcessContext {
  readonly floor: string | undefined;
  /** The server's or, where both ends take turns, that of both; then the client's. As far as there are any. */
  readonly cores: readonly number[];
  readonly signal: AbortSignal;
}

/** One end of a case, as its own process. */
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
    placed(programOf(by, floor), core),
    [role, ...words, ...(role === 'serve' || kind === 'worker' ? subjectWords : [])],
    signal,
  );
}

export function placed(program: Program, core: number | undefined): Program {
  return core === undefined ? program : onCore(program, core);
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

/** Parameters and the like; what is undefined is not told. */
export type CommandWords = Readonly<Record<string, Params[string] | undefined>>;

/** `{ keepAlive: true }` as `--keep-alive 1`. */
export function commandWords(words: CommandWords): string[] {
  return Object.entries(words).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const word = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return [`--${word}`, String(typeof value === 'boolean' ? Number(value) : value)];
  });
}
