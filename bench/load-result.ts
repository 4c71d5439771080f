/** What a client tells at the end of its stretch, taken from its message. */
import type { LatencyHistogram, Steps } from './histogram.js';
import type { Due, LoadResult } from './model.js';
import { isMessage, numberOf, PeerError, type Message } from './peer.js';

export function loadResult(value: unknown): LoadResult {
  if (!isMessage(value)) throw new PeerError(`a result is an object, not ${JSON.stringify(value)}`);
  return {
    seconds: numberOf(value, 'seconds'),
    operations: numberOf(value, 'operations'),
    errors: numberOf(value, 'errors'),
    clientCpu: numberOf(value, 'clientCpu'),
    ...('bytes' in value ? { bytes: numberOf(value, 'bytes') } : {}),
    ...('failed' in value ? { failed: numberOf(value, 'failed') } : {}),
    ...('unsent' in value ? { due: dueOf(value) } : {}),
    ...(isMessage(value['latency']) ? { latency: latencyResult(value['latency']) } : {}),
  };
}

function dueOf(message: Message): Due {
  const unsent = numberOf(message, 'unsent');
  return {
    requests: numberOf(message, 'begun') + unsent,
    inTime: numberOf(message, 'inTime'),
    lost: unsent + numberOf(message, 'unanswered'),
  };
}

function latencyResult(message: Message): LatencyHistogram {
  return { count: numberOf(message, 'count'), max: numberOf(message, 'max'), steps: stepsOf(message['steps']) };
}

function stepsOf(value: unknown): Steps {
  const isStep = (entry: unknown): entry is [number, number] =>
    Array.isArray(entry) && entry.length === 2 && entry.every((each) => typeof each === 'number');
  if (!Array.isArray(value) || !value.every(isStep)) throw new PeerError('"steps" is no list of steps');
  return value;
}
