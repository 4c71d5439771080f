/** Programs of the model: made from a seed, and told so that a person can read them. */
import { random } from '../random.js';
import type { ChannelTransport } from '../channels.js';
import type { Family } from '../subjects.js';
import { LONGEST } from './content.js';

const FORMS = [
  'string',
  'buffer',
  'range',
  'repeated',
  'writev',
  'page',
  'page range',
  'file',
  'descriptor',
  'slow file',
  'missing file',
] as const;
export type Form = (typeof FORMS)[number];

export interface Write {
  form: Form;
  /** In bytes; of a string, in units of UTF-16. */
  length: number;
}

/** Ends are numbered: the client's of connection n is 2n, the server's 2n + 1. */
export interface Step {
  end: number;
  action: 'write' | 'pause' | 'resume' | 'cork' | 'uncork' | 'flush' | 'end' | 'destroy' | 'fail';
  write?: Write;
  /** What lies between it and the next. */
  then: 'nothing' | 'tick' | 'turn';
}

export const HANDLERS = ['onConnect', 'onData', 'onDrain', 'onEnd', 'onError', 'onClose'] as const;
export type HandlerName = (typeof HANDLERS)[number];

/** What an end does of itself. */
export interface Behaviour {
  /** With what it reads: nothing, or it is written to these ends. */
  relayTo: number[];
  /** How that is written: pieces of what is lent, or copies. */
  relayBy: 'lent' | 'view' | 'copy';
  /** Stops reading while one of them has no room. */
  heedsRoom: boolean;
  /** Each chunk that it reads has it write the next of these. */
  answers: { end: number; write: Write }[];
  reader: 'fast' | 'slow' | 'silent';
  /** What it does at its peer's end: nothing, end(), or there is no handler. */
  atEnd: 'waits' | 'ends' | 'no handler';
  /** A handler that throws, each time. */
  throwsIn: HandlerName | undefined;
  /** A handler that destroys the channel. */
  destroysIn: HandlerName | undefined;
  /** Written before it is connected. */
  early: Write | undefined;
}

export interface Program {
  seed: number;
  transport: ChannelTransport;
  family: Family;
  sendBufferSize: number | undefined;
  behaviours: Behaviour[];
  steps: Step[];
}

class Dice {
  private readonly next: () => number;

  constructor(seed: number) {
    this.next = random(seed);
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(part: number): boolean {
    return this.next() < part;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}

/** Of the one Buffer that an end fills anew each time: long enough to be taken for a body that is written again. */
const REPEATED = 70_000;
const LIMITS = [1, 2, 100, 4096, 8191, 8192, 8193, 20_000, 70_000, 70_000, 300_000, 1_500_000];

function lengthOf(dice: Dice): number {
  if (dice.chance(0.02)) return dice.below(LONGEST);
  const limit = dice.of(LIMITS);
  return dice.chance(0.4) ? limit : 1 + dice.below(limit);
}

function writeOf(dice: Dice): Write {
  const form = dice.chance(0.5) ? dice.of(['string', 'buffer', 'range', 'writev'] as const) : dice.of(FORMS);
  const length = lengthOf(dice);
  // A unit of UTF-16 is up to three bytes.
  if (form === 'string') return { form, length: Math.ceil(length / 3) };
  return { form, length: form === 'repeated' ? REPEATED : length };
}

function behaviourOf(dice: Dice, end: number, ends: number): Behaviour {
  const isServer = end % 2 === 1;
  const relays = isServer && dice.chance(0.4);
  // Only servers' ends write what they read, so that nothing goes round for ever.
  const targets = Array.from({ length: ends / 2 }, (_, i) => 2 * i + 1);
  const relayTo = relays ? targets.filter((target) => dice.chance(target === end ? 0.5 : 0.4)) : [];
  const answers = Array.from({ length: dice.chance(0.5) ? dice.below(12) : 0 }, () => {
    return { end: dice.chance(0.7) ? dice.of(targets) : dice.below(ends), write: writeOf(dice) };
  });
  return {
    relayTo,
    relayBy: dice.of(['lent', 'lent', 'view', 'copy'] as const),
    heedsRoom: dice.chance(0.5),
    answers,
    reader: dice.of(['fast', 'fast', 'slow', 'silent'] as const),
    atEnd: dice.of(['waits', 'ends', 'no handler'] as const),
    throwsIn: dice.chance(0.1) ? dice.of(HANDLERS) : undefined,
    destroysIn: dice.chance(0.04) ? dice.of(HANDLERS) : undefined,
    early: !isServer && dice.chance(0.2) ? writeOf(dice) : undefined,
  };
}

function stepOf(dice: Dice, ends: number): Step {
  const end = dice.below(ends);
  const then = dice.of(['nothing', 'nothing', 'tick', 'turn'] as const);
  const at = dice.below(100);
  if (at < 50) return { end, action: 'write', write: writeOf(dice), then };
  if (at < 55) return { end, action: 'cork', then };
  if (at < 60) return { end, action: 'uncork', then };
  if (at < 72) return { end, action: 'pause', then };
  if (at < 92) return { end, action: 'resume', then };
  if (at < 96) return { end, action: 'flush', then };
  if (at < 98) return { end, action: 'end', then };
  return { end, action: dice.chance(0.8) ? 'destroy' : 'fail', then };
}

export function programOf(seed: number, transport: ChannelTransport, family: Family): Program {
  const dice = new Dice(seed);
  const ends = 2 * (1 + dice.below(4));
  return {
    seed,
    transport,
    family,
    sendBufferSize: dice.chance(0.4) ? 4096 * (1 + dice.below(32)) : undefined,
    behaviours: Array.from({ length: ends }, (_, end) => behaviourOf(dice, end, ends)),
    steps: Array.from({ length: 4 + dice.below(50) }, () => stepOf(dice, ends)),
  };
}

export function nameOf(end: number): string {
  return `${end % 2 === 0 ? 'client' : 'server'} ${String(end >> 1)}`;
}

function tellWrite({ form, length }: Write): string {
  return `${form} ${String(length)}`;
}

function tellBehaviour(behaviour: Behaviour, end: number): string {
  const { relayTo, relayBy, heedsRoom, answers, reader, atEnd, throwsIn, destroysIn, early } = behaviour;
  const words = [`${nameOf(end)}: ${reader} reader, at its peer's end: ${atEnd}`];
  if (relayTo.length > 0) words.push(`writes ${relayBy} to ${relayTo.map(nameOf).join(' and ')}`);
  if (relayTo.length > 0 && heedsRoom) words.push('heeds their room');
  if (answers.length > 0) {
    words.push(`answers ${answers.map((answer) => `${nameOf(answer.end)}: ${tellWrite(answer.write)}`).join(', ')}`);
  }
  if (throwsIn !== undefined) words.push(`throws in ${throwsIn}`);
  if (destroysIn !== undefined) words.push(`destroys in ${destroysIn}`);
  if (early !== undefined) words.push(`writes ${tellWrite(early)} before it is connected`);
  return words.join('; ');
}

export function tellProgram({ seed, transport, family, sendBufferSize, behaviours, steps }: Program): string {
  return [
    `NEARWIRE_CHANNEL_SEED=${String(seed)}: ${transport}, ${family}, send buffer ${String(sendBufferSize ?? 'as it is')}`,
    ...behaviours.map(tellBehaviour),
    ...steps.map(({ end, action, write, then }) => {
      const what = write === undefined ? action : `writes ${tellWrite(write)}`;
      return `- ${nameOf(end)} ${what}${then === 'nothing' ? '' : `, a ${then}`}`;
    }),
  ].join('\n');
}
