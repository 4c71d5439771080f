/** Conversations made of mutated requests: a seed and a number say what one is. */
import { ROOM, type Mutator } from './fuzz-mutate.js';
import { asNth, PLAIN, type Script } from './talk.js';

const memory = Buffer.alloc(ROOM);

/** As the first to third request, in one or two pieces, and now and then in one read with those before and behind it. */
export function mutatedScripts(mutator: Mutator, first: number, count: number): Script[] {
  return Array.from({ length: count }, (_, i) => {
    const text = memory.toString('latin1', 0, mutator.make(first + i, memory)) + (mutator.below(4) === 0 ? PLAIN : '');
    const cut = mutator.below(2) === 0 ? text.length : mutator.below(text.length + 1);
    const script = asNth(1 + mutator.below(3), `input ${String(first + i)}`, [text.slice(0, cut), text.slice(cut)]);
    return mutator.below(4) === 0 ? pipelined(script) : script;
  });
}

function pipelined({ name, pieces }: Script): Script {
  return { name: `${name}, pipelined`, pieces: [pieces.slice(0, -1).join(''), ...pieces.slice(-1)] };
}
