/** The rules that turn evidence into advice. docs/operating.md explains them in detail. */
import type { QueueEvidence, SendEvidence } from './evidence.js';
import { askedFor, LARGEST_SEND_BUFFER, STREAM_SEND_BUFFER, type SystemLimit } from './limits.js';

/** An option of a server, a socket or a channel, as for `listen()` and the constructors. */
export type AdvisedSetting =
  | {
      /** In bytes, as it should be requested. */
      sendBufferSize: number;
    }
  | {
      /** The maximum number of connections that may wait to be accepted. */
      backlog: number;
    };

/** A limit of the system that has to be raised before a setting has its effect. */
export interface LimitInTheWay {
  /** Its name: `net.core.wmem_max`. */
  name: string;
  /** Its current value. */
  value: number;
  /** The value that it must have at least. */
  needed: number;
}

/** The advice for one option. */
export interface Finding<E> {
  /** The name of the option. */
  option: 'sendBufferSize' | 'backlog';
  /** Whether to change it. */
  change: boolean;
  /** The current value. A send buffer in bytes as the kernel reads it back; undefined: not known. */
  current: number | undefined;
  /** The recommended value, in the same unit; equal to `current` if nothing should change. */
  recommended: number | undefined;
  /** The option to set in order to get there: Linux reads back the double of a requested send buffer. */
  setting: AdvisedSetting | undefined;
  /** The system limit that must be raised first. */
  limit: LimitInTheWay | undefined;
  /** The advice and its reason, as text. */
  reason: string;
  /** The observations that the advice is based on. */
  evidence: E;
}

/** The limits that the rules apply. */
export interface RuleLimits {
  /** Bytes that all send buffers may occupy together. */
  memory: number;
  sendBufferSize: SystemLimit;
}

/**
 * With fewer waiting on average, a larger buffer has no noticeable effect: for a single connection, waits are then a
 * hundredth of its time.
 */
const WAITING_MATTERS = 0.01;
/**
 * A reader that makes room this quickly is limited by the buffer; the engine assumes the same
 * (native/send_buffer_policy.cc).
 */
const FAST_READER_MILLIS = 2;
/** Sizes are advised in multiples of this. */
const STEP = 64 * 1024;
/** A queue filled to this share came close to refusing connections. */
const NEARLY_FULL = 0.75;

const KiB = 1024;
const MiB = 1024 * KiB;

export function bytesInWords(bytes: number): string {
  if (bytes >= MiB) return `${String(Math.round((bytes / MiB) * 100) / 100)} MiB`;
  if (bytes >= KiB) return `${String(Math.round(bytes / KiB))} KiB`;
  return `${String(bytes)} bytes`;
}

function percent(share: number): string {
  const rounded = share >= 0.1 ? Math.round(share * 100) : Math.round(share * 1000) / 10;
  return `${String(rounded)} %`;
}

/** The share of time spent waiting, for one connection or for many. */
function waitingInWords({ waiting, connections }: SendEvidence): string {
  return connections <= 1
    ? `the connection waited for room ${percent(waiting)} of the time`
    : `${String(Math.round(waiting * 100) / 100)} of ${String(connections)} connections waited for room at any time`;
}

function unchanged(evidence: SendEvidence, reason: string): Finding<SendEvidence> {
  const { sendBufferSize: current } = evidence;
  const common = { option: 'sendBufferSize', change: false, setting: undefined, limit: undefined } as const;
  return { ...common, current, recommended: current, reason: `no change: ${reason}`, evidence };
}

function changed(evidence: SendEvidence, wanted: number, limits: RuleLimits, why: string): Finding<SendEvidence> {
  const { sendBufferSize: current, connections, tcp } = evidence;
  const room = Math.floor(limits.memory / Math.max(connections, 1) / STEP) * STEP;
  const recommended = Math.min(wanted, LARGEST_SEND_BUFFER, room);
  if (current !== undefined && recommended <= current) {
    if (wanted <= current) return unchanged(evidence, `${why}; the buffers of ${bytesInWords(current)} are that large`);
    const most = bytesInWords(Math.min(LARGEST_SEND_BUFFER, room));
    return unchanged(evidence, `${why}; but ${String(connections)} connections allow at most ${most} each`);
  }
  const asked = askedFor(recommended);
  const { name, value } = limits.sendBufferSize;
  const limit = value !== undefined && asked > value ? { name, value, needed: asked } : undefined;
  const parts = [
    `set sendBufferSize to ${String(asked)} (${bytesInWords(recommended)} in effect): ${why}`,
    recommended < wanted ? `${bytesInWords(wanted)} would be needed, which is more than is sensible here` : '',
    limit === undefined ? '' : `${name} is ${String(limit.value)} and must be raised to ${String(asked)} first`,
    tcp ? 'TCP sizes the buffer automatically only until a size is set' : '',
  ];
  const reason = parts.filter(Boolean).join('; ');
  return {
    option: 'sendBufferSize',
    change: true,
    current,
    recommended,
    setting: { sendBufferSize: asked },
    limit,
    reason,
    evidence,
  };
}

function stepUp(bytes: number): number {
  return Math.ceil(bytes / STEP) * STEP;
}

/** Whether connections would gain from a larger send buffer, and from which size. */
export function adviseSendBuffer(evidence: SendEvidence, limits: RuleLimits): Finding<SendEvidence> {
  const { bytesSent, sends, waits, waiting, meanWait = 0, answers, sendBufferSize = 0 } = evidence;
  if (bytesSent === 0) return unchanged(evidence, 'nothing was sent, so there is no evidence');
  if (waits === 0 || waiting < WAITING_MATTERS) {
    const mean = sends === undefined || sends === 0 ? '' : `, with ${bytesInWords(bytesSent / sends)} per send`;
    const what = waits === 0 ? 'the kernel took everything sent at once' : waitingInWords(evidence);
    return unchanged(evidence, `it would not matter, because ${what}${mean}`);
  }
  const waited = waitingInWords(evidence);
  const typical = answers?.typical ?? Infinity;
  if (typical <= LARGEST_SEND_BUFFER) {
    const size = `nine of ten responses that had to wait are no larger than ${bytesInWords(typical)}`;
    const gain =
      'a buffer that holds a whole response frees the server as soon as it is written, however slow the reader';
    if (typical > sendBufferSize) return changed(evidence, stepUp(typical), limits, `${waited}, and ${size}: ${gain}`);
    const charged =
      'which is less than the buffer: several at once, or small sends, each charged with more than its bytes';
    return changed(evidence, stepUp(2 * sendBufferSize), limits, `${waited}, and ${size}, ${charged}`);
  }
  const length = answers === undefined ? 'of unknown length' : `of ${bytesInWords(typical)}`;
  if (meanWait < FAST_READER_MILLIS) {
    const why = `${waited}, in streams ${length} whose readers make room within ${String(FAST_READER_MILLIS)} ms: with a larger buffer there are fewer stops`;
    return changed(evidence, STREAM_SEND_BUFFER, limits, why);
  }
  const limit = `a wait takes ${String(Math.round(meanWait))} ms, so the readers are the limit`;
  const use = 'and no sensible buffer holds their unread data';
  return unchanged(evidence, `${waited}, in streams ${length}; ${limit}, ${use}`);
}

/** Whether a listener's backlog was nearly exhausted. */
export function adviseBacklog(evidence: QueueEvidence, system: SystemLimit): Finding<QueueEvidence> {
  const { highWater, backlog: current } = evidence;
  const seen = `at most ${String(highWater)} connections were seen waiting, and the backlog is ${String(current)}`;
  if (highWater < current * NEARLY_FULL) {
    const reason = `no change: it would not matter, because ${seen}`;
    const common = { option: 'backlog', change: false, setting: undefined, limit: undefined } as const;
    return { ...common, current, recommended: current, reason, evidence };
  }
  const recommended = 2 ** Math.ceil(Math.log2(2 * Math.max(current, 1)));
  const { name, value } = system;
  const limit = value !== undefined && recommended > value ? { name, value, needed: recommended } : undefined;
  const refusal = 'a UNIX socket refuses the next at once (EAGAIN), TCP lets it wait for a second and more';
  const raise = limit === undefined ? '' : `; ${name} is ${String(limit.value)} and must be raised first`;
  const reason = `set backlog to ${String(recommended)}: ${seen}, and when the queue is full, ${refusal}${raise}`;
  return {
    option: 'backlog',
    change: true,
    current,
    recommended,
    setting: { backlog: recommended },
    limit,
    reason,
    evidence,
  };
}
