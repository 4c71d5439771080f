/** UNIX against TCP: for each size, in a lone request's time and in CPU. */
import { isInNoise } from '../interval.js';
import type { Answer, Figure } from '../model.js';
import {
  changeWords,
  difference,
  familyPairs,
  figuresOf,
  worksOfStack,
  type Evidence,
  type FamilyPair,
} from './evidence.js';

export function familyAnswers(evidence: Evidence): Answer[] {
  return familyPairs(evidence.samples).flatMap((pair) => familyAnswer(evidence, pair) ?? []);
}

function familyAnswer({ samples }: Evidence, { unix, tcp }: FamilyPair): Answer | undefined {
  const figures: Record<string, Figure | undefined> = {};
  const sentences: string[] = [];
  let matters = false;
  for (const { name, title } of worksOfStack(samples, unix.name)) {
    const time = difference(samples, tcp.name, unix.name, name, 'time');
    const cpu = difference(samples, tcp.name, unix.name, name, 'cpu');
    if (!time) continue;
    figures[`${name}Time`] = time;
    figures[`${name}Cpu`] = cpu;
    matters ||= !isInNoise(time) || (cpu !== undefined && !isInNoise(cpu));
    sentences.push(`${title}: ${changeWords(time)}${cpu ? `, and of CPU ${changeWords(cpu)}` : ''}.`);
  }
  if (sentences.length === 0) return undefined;
  const title = unix.title.replace(/,? (?:over )?UNIX/, '');
  const begin = matters
    ? 'Over a UNIX socket a lone request takes, against TCP, by what is asked for. '
    : 'UNIX sockets and TCP can not be told apart here. ';
  return { question: `UNIX sockets or TCP: ${title}?`, text: begin + sentences.join(' '), figures: figuresOf(figures) };
}
