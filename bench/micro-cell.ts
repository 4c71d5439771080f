/** Work inside one process: all subjects in turn, but for those that can't do this. */
import { commandWords, workerProgram, type ProcessContext } from './cell-processes.js';
import type { MicroCase, Sample, Series, SubjectName } from './model.js';
import { isMessage, numberOf, Peer, PeerError } from './peer.js';
import { onCore } from './placement.js';

const ANSWER_MS = 10_000;

export async function runMicro(
  { name }: MicroCase,
  { params }: Series,
  subjects: readonly SubjectName[],
  round: number,
  seconds: number,
  { cores, signal }: ProcessContext,
): Promise<Sample[]> {
  const words = [...commandWords(params), '--subjects', subjects.join(','), '--seconds', String(seconds)];
  const peer = new Peer(name, onCore(workerProgram('micro/main.js'), cores[0]), words, signal);
  try {
    const { result } = await peer.expect('result', ANSWER_MS + subjects.length * seconds * 1e3);
    if (!isMessage(result)) throw new PeerError('the micro case told no object');
    return Object.entries(result).map(([subject, told]) => {
      if (!isMessage(told)) throw new PeerError(`the micro case told no object of ${subject}`);
      return { round, subject, values: { time: numberOf(told, 'time') }, rme: numberOf(told, 'rme') };
    });
  } finally {
    await peer.stop();
  }
}
