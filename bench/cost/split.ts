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
import { combine, figureOf, isInNoise, type Estimate } from './interval.js';
import type { Hop, Layer, LayerResult, Split, Stack, WorkName } from './model.js';
import type { Samples } from './samples.js';

export const EMBEDDED = 'apache-embedded';

type Kind = Split['of'];
type Row = Pick<Stack, 'name' | 'language' | 'hop'>;

interface Part {
  readonly layer: Layer;
  readonly estimate: Estimate;
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
  if (!parts || !whole) return undefined;
  const crossCheck = samples.crossCheck(stack.name, work, kind);
  return {
    ...{ stack: stack.name, work, of: kind, whole: figureOf(whole) },
    layers: parts.map((part) => layerOf(part, whole)),
    crossCheck: crossCheck && figureOf(crossCheck),
  };
}

function wholeOf(samples: Samples, stack: string, work: WorkName, kind: Kind): Estimate | undefined {
  return kind === 'cpu' ? samples.cpu(stack, work, 'all', 'all') : samples.time(stack, work);
}

function layerOf({ layer, estimate, derivation }: Part, whole: Estimate): LayerResult {
  const figure = figureOf(estimate);
  const share = figureOf(combine({ estimate, whole }, (side) => side.estimate / side.whole) ?? estimate);
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
    const rounds = wholeOf(samples, stack.name, work, kind)?.rounds ?? 0;
    const estimate = { value: 0, error: 0, freedom: Infinity, shift: 0, rounds };
    return { layer: 'application', estimate, derivation: 'the server answers by itself' };
  }
  const estimate = samples.application(stack.language, work, kind);
  return estimate && { layer: 'application', estimate, derivation: 'the application, called alone' };
}

/** Of works that a front can't do alone, which have small answers, its part is as with hello world. */
function baseOf(samples: Samples, front: string, work: WorkName): WorkName {
  return samples.time(front, work) ? work : 'hello';
}

function frontAlone(front: string, base: WorkName, work: WorkName): string {
  return `${front} alone${base === work ? '' : ', with hello world'}`;
}

function directParts(samples: Samples, stack: Row, work: WorkName, kind: Kind, application: Part): Part[] | undefined {
  const sides = { whole: wholeOf(samples, stack.name, work, kind), application: application.estimate };
  const rest = combine(sides, (value) => value.whole - value.application);
  if (!rest) return undefined;
  const derivation = `${stack.name} - application: the server's work and the kernel's on the user's connection`;
  return [{ layer: 'protocol', estimate: rest, derivation }, application];
}

function daemonParts(samples: Samples, stack: Row, work: WorkName, kind: Kind, application: Part): Part[] | undefined {
  const whole = wholeOf(samples, stack.name, work, kind);
  const embedded = wholeOf(samples, EMBEDDED, work, kind);
  const hop = combine({ whole, embedded }, (value) => value.whole - value.embedded);
  const own = { embedded, application: application.estimate };
  const rest = combine(own, (value) => value.embedded - value.application);
  if (!hop || !rest) return undefined;
  return [
    { layer: 'protocol', estimate: rest, derivation: `${EMBEDDED} - application: Apache's own work` },
    { layer: 'hop', estimate: hop, derivation: `${stack.name} - ${EMBEDDED}, both ends' computing included` },
    application,
  ];
}

function cpuParts(samples: Samples, { name }: Row, work: WorkName, application: Part): Part[] | undefined {
  const alone = frontOf(name).name;
  const base = baseOf(samples, alone, work);
  const front = samples.cpu(alone, base, 'front', 'all');
  const sides = {
    frontUser: samples.cpu(name, work, 'front', 'user'),
    frontSystem: samples.cpu(name, work, 'front', 'system'),
    appUser: samples.cpu(name, work, 'app', 'user'),
    appSystem: samples.cpu(name, work, 'app', 'system'),
    aloneUser: samples.cpu(alone, base, 'front', 'user'),
    aloneSystem: samples.cpu(alone, base, 'front', 'system'),
    application: application.estimate,
  };
  const hop = combine(sides, (side) => side.frontSystem - side.aloneSystem + side.appSystem);
  const protocol = combine(sides, (side) => side.frontUser - side.aloneUser + side.appUser - side.application);
  if (!front || !hop || !protocol) return undefined;
  return [
    { layer: 'front', estimate: front, derivation: frontAlone(alone, base, work) },
    { layer: 'hop', estimate: hop, derivation: `kernel's time of ${name} - of ${alone} alone` },
    {
      ...{ layer: 'protocol', estimate: protocol },
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
    hop: samples.hop(hop, work),
    application: application.estimate,
  };
  const protocol = combine(sides, (side) => side.whole - side.front - side.hop - side.application);
  if (!sides.front || !sides.hop || !protocol) return undefined;
  return [
    { layer: 'front', estimate: sides.front, derivation: frontAlone(alone, base, work) },
    { layer: 'hop', estimate: sides.hop, derivation: 'the same bytes between two plain C processes' },
    { layer: 'protocol', estimate: protocol, derivation: `${name} - ${alone} alone - hop - application` },
    application,
  ];
}
