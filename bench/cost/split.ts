/**
 * Each stack's request by layer, for CPU and for the time of a lone request.
 *
 * CPU, of a stack with nginx as its front (or our proxy, by which it is all the same), by subtraction and by the accounts of its processes:
 *   front        nginx alone with the same work: all of its CPU
 *   hop          the kernel's part that nginx alone does not have, and that of the app: all that the app server asks of
 *                the kernel is for the hop
 *   application  called in a process of its own, with no server around it
 *   protocol     the rest: what nginx computes more than alone, and what the app server computes besides the application
 *
 * Time of a lone request:
 *   front        nginx alone
 *   hop          the same bytes over the same kind of connection between two plain C processes
 *   application  called alone
 *   protocol     the rest
 *
 * mod_wsgi's daemon is held against the same Apache with the application in its own process: the difference is its hop,
 * with what both ends compute to speak over it. A stack without a hop has two layers: its application, and all else.
 */
import { frontOf } from './front.js';
import { combineRounds, figureOfRounds, isInNoise, roundsWith, type Rounds } from './interval.js';
import type { Figure, Hop, Layer, LayerResult, Split, Stack, WorkName } from './model.js';
import type { Samples } from './samples.js';

export const EMBEDDED = 'apache-embedded';

type Kind = Split['of'];
type Row = Pick<Stack, 'name' | 'language' | 'hop'>;

interface Part {
  readonly layer: Layer;
  readonly rounds: Rounds;
  readonly derivation: string;
}

/** Those of all stacks for which there is enough to split them by. */
export function splitsOf(samples: Samples): Split[] {
  const { stacks, works } = samples.measured;
  return stacks.flatMap((stack) =>
    works.flatMap(({ name }) =>
      (['cpu', 'time'] as const).flatMap((kind) => splitOf(samples, stack, name, kind) ?? []),
    ),
  );
}

export function splitOf(samples: Samples, stack: Row, work: WorkName, kind: Kind): Split | undefined {
  const parts = partsOf(samples, stack, work, kind);
  const whole = wholeOf(samples, stack.name, work, kind);
  if (!parts || whole.size === 0) return undefined;
  const figure = figureOfRounds(whole);
  const layers = parts.flatMap((part) => layerOf(part, whole) ?? []);
  // A layer that no round has with the others would be missing from the sum.
  if (!figure || layers.length < parts.length) return undefined;
  return {
    stack: stack.name,
    work,
    of: kind,
    whole: figure,
    layers,
    crossCheck: crossCheckOf(samples, stack, work, kind),
  };
}

function wholeOf(samples: Samples, stack: string, work: WorkName, kind: Kind): Rounds {
  return kind === 'cpu' ? samples.cpu(stack, work, 'all', 'all') : samples.time(stack, work);
}

function layerOf({ layer, rounds, derivation }: Part, whole: Rounds): LayerResult | undefined {
  const shares = combineRounds({ part: rounds, whole }, (value) => value.part / value.whole);
  const figure = figureOfRounds(rounds);
  const share = figureOfRounds(shares);
  if (!figure || !share) return undefined;
  return { layer, figure, share, derivation, inNoise: isInNoise(figure) };
}

function partsOf(samples: Samples, stack: Row, work: WorkName, kind: Kind): Part[] | undefined {
  const application = applicationOf(samples, stack, work, kind);
  if (!application) return undefined;
  const { hop } = stack;
  if (!hop) return directParts(samples, stack, work, kind, application);
  if (hop.protocol === 'mod_wsgi') return daemonParts(samples, stack, work, kind, application);
  return kind === 'cpu'
    ? cpuParts(samples, stack, work, application)
    : timeParts(samples, stack, hop, work, application);
}

/** A server that answers by itself has none, and its layer is nothing; undefined where nobody called it alone. */
function applicationOf(samples: Samples, stack: Row, work: WorkName, kind: Kind): Part | undefined {
  if (stack.language === 'none') {
    const whole = wholeOf(samples, stack.name, work, kind);
    const rounds = roundsWith(new Map([...whole.keys()].map((round) => [round, 0])), 0);
    return { layer: 'application', rounds, derivation: 'the server answers by itself' };
  }
  const rounds = samples.application(stack.language, work, kind);
  if (rounds.size === 0) return undefined;
  return { layer: 'application', rounds, derivation: 'the application, called alone' };
}

/** Of works that a front can't do alone, which have small answers, its part is as with hello world. */
function baseOf(samples: Samples, front: string, work: WorkName): WorkName {
  return samples.time(front, work).size > 0 ? work : 'hello';
}

function frontAlone(front: string, base: WorkName, work: WorkName): string {
  return `${front} alone${base === work ? '' : ', with hello world'}`;
}

function directParts(samples: Samples, stack: Row, work: WorkName, kind: Kind, application: Part): Part[] {
  const rest = combineRounds(
    { whole: wholeOf(samples, stack.name, work, kind), application: application.rounds },
    (value) => value.whole - value.application,
  );
  const derivation = `${stack.name} - application: the server's work and the kernel's on the user's connection`;
  return [{ layer: 'protocol', rounds: rest, derivation }, application];
}

function daemonParts(samples: Samples, stack: Row, work: WorkName, kind: Kind, application: Part): Part[] | undefined {
  const whole = wholeOf(samples, stack.name, work, kind);
  const embedded = wholeOf(samples, EMBEDDED, work, kind);
  const hop = combineRounds({ whole, embedded }, (value) => value.whole - value.embedded);
  if (hop.size === 0) return undefined;
  const rest = combineRounds(
    { embedded, application: application.rounds },
    (value) => value.embedded - value.application,
  );
  return [
    { layer: 'protocol', rounds: rest, derivation: `${EMBEDDED} - application: Apache's own work` },
    { layer: 'hop', rounds: hop, derivation: `${stack.name} - ${EMBEDDED}, both ends' computing included` },
    application,
  ];
}

function cpuParts(samples: Samples, { name }: Row, work: WorkName, application: Part): Part[] | undefined {
  const alone = frontOf(name).name;
  const base = baseOf(samples, alone, work);
  const front = samples.cpu(alone, base, 'front', 'all');
  if (front.size === 0) return undefined;
  const sides = {
    frontUser: samples.cpu(name, work, 'front', 'user'),
    frontSystem: samples.cpu(name, work, 'front', 'system'),
    appUser: samples.cpu(name, work, 'app', 'user'),
    appSystem: samples.cpu(name, work, 'app', 'system'),
    aloneUser: samples.cpu(alone, base, 'front', 'user'),
    aloneSystem: samples.cpu(alone, base, 'front', 'system'),
    application: application.rounds,
  };
  return [
    { layer: 'front', rounds: front, derivation: frontAlone(alone, base, work) },
    {
      layer: 'hop',
      rounds: combineRounds(sides, (side) => side.frontSystem - side.aloneSystem + side.appSystem),
      derivation: `kernel's time of ${name} - of ${alone} alone`,
    },
    {
      layer: 'protocol',
      rounds: combineRounds(sides, (side) => side.frontUser - side.aloneUser + side.appUser - side.application),
      derivation: `user time of ${name} - of ${alone} alone - application`,
    },
    application,
  ];
}

function timeParts(samples: Samples, { name }: Row, hop: Hop, work: WorkName, application: Part): Part[] | undefined {
  const alone = frontOf(name).name;
  const base = baseOf(samples, alone, work);
  const sides = {
    whole: samples.time(name, work),
    front: samples.time(alone, base),
    hop: samples.hop(hop, work, ({ time }) => time),
    application: application.rounds,
  };
  const protocol = combineRounds(sides, (side) => side.whole - side.front - side.hop - side.application);
  if (protocol.size === 0) return undefined;
  return [
    { layer: 'front', rounds: sides.front, derivation: frontAlone(alone, base, work) },
    { layer: 'hop', rounds: sides.hop, derivation: 'the same bytes between two plain C processes' },
    { layer: 'protocol', rounds: protocol, derivation: `${name} - ${alone} alone - hop - application` },
    application,
  ];
}

/**
 * The whole, put together from what was never part of it: nginx before the plain C server over the same kind of hop, and
 * the app server loaded directly over that kind of connection. The first brings front, the front's end of the hop and of
 * the protocol; the second the app's ends, and the application. For time, in which the plain C server stands in both,
 * what it takes by itself is taken off.
 */
function crossCheckOf(samples: Samples, { name, hop }: Row, work: WorkName, kind: Kind): Figure | undefined {
  if (!hop) return undefined;
  const whole = wholeOf(samples, name, work, kind);
  if (kind === 'cpu') {
    const front = samples.front(hop, work, (sample) => sample.front.user + sample.front.system);
    const app = samples.cpu(name, work, 'app', 'all', 'direct');
    return figureOfRounds(combineRounds({ whole, front, app }, (side) => (side.front + side.app) / side.whole));
  }
  const sides = {
    whole,
    front: samples.front(hop, work, ({ time }) => time),
    plain: samples.hop(hop, work, ({ time }) => time),
    app: samples.time(name, work, 'direct'),
  };
  return figureOfRounds(combineRounds(sides, (side) => (side.front - side.plain + side.app) / side.whole));
}
